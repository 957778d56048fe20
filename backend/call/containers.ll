; Containers among arguments and results: tuples, lists, dictionaries, named tuples, dataclasses.
;
; A node describes one container or leaf; layout.py defines the kinds and program.py lays nodes out.
; A container is accepted only if its type is exactly the node's type.

%object = type { i64, ptr }                                   ; reference count, type
; kind, number of children (of a leaf: its index), type or value, names, children, template
%node = type { i64, i64, ptr, ptr, ptr, ptr }

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare void @PyErr_Clear()
declare i32 @PyObject_RichCompareBool(ptr, ptr, i32)
declare ptr @PyObject_GetAttr(ptr, ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyType_GenericAlloc(ptr, i64)
declare ptr @PyTuple_New(i64)
declare i64 @PyTuple_Size(ptr)
declare ptr @PyTuple_GetItem(ptr, i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyList_New(i64)
declare i64 @PyList_Size(ptr)
declare ptr @PyList_GetItem(ptr, i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyDict_Copy(ptr)
declare i64 @PyDict_Size(ptr)
declare i32 @PyDict_Next(ptr, ptr, ptr, ptr)
declare ptr @PyDict_GetItemWithError(ptr, ptr)
declare i32 @PyDict_SetItem(ptr, ptr, ptr)

; Match the arguments with the children of %parameters and store a new reference to each leaf in
; %leaves, which the caller releases in any case.
define i1 @gd.flatten(ptr %parameters, ptr %args, ptr %leaves) {
entry:
  %count.field = getelementptr %node, ptr %parameters, i64 0, i32 1
  %count = load i64, ptr %count.field
  %children.field = getelementptr %node, ptr %parameters, i64 0, i32 4
  %children = load ptr, ptr %children.field
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %one ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %yes, label %one
one:
  %child = getelementptr %node, ptr %children, i64 %i
  %field = getelementptr ptr, ptr %args, i64 %i
  %object = load ptr, ptr %field
  %next = add i64 %i, 1
  %matched = call fastcc i1 @flatten(ptr %child, ptr %object, ptr %leaves)
  br i1 %matched, label %each, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

define internal fastcc i1 @flatten(ptr %node, ptr %object, ptr %leaves) {
entry:
  %kind = load i64, ptr %node
  %type.field = getelementptr %node, ptr %node, i64 0, i32 2
  %expected = load ptr, ptr %type.field
  switch i64 %kind, label %container [
    i64 0, label %leaf
    i64 1, label %static
  ]
leaf:
  %index.field = getelementptr %node, ptr %node, i64 0, i32 1
  %index = load i64, ptr %index.field
  call void @Py_IncRef(ptr %object)
  %leaf.field = getelementptr ptr, ptr %leaves, i64 %index
  store ptr %object, ptr %leaf.field
  ret i1 true
static:
  %same = call fastcc i1 @same_static(ptr %node, ptr %object)
  ret i1 %same
container:
  %object.type.field = getelementptr %object, ptr %object, i64 0, i32 1
  %object.type = load ptr, ptr %object.type.field
  %same.type = icmp eq ptr %object.type, %expected
  br i1 %same.type, label %inside, label %no
no:
  ret i1 false
inside:
  ; Reading an attribute may run code of the user that drops this container from where it came.
  call void @Py_IncRef(ptr %object)
  switch i64 %kind, label %attributes [
    i64 2, label %tuple
    i64 3, label %list
    i64 4, label %dict
  ]
tuple:
  %in.tuple = call fastcc i1 @flatten_tuple(ptr %node, ptr %object, ptr %leaves)
  br label %done
list:
  %in.list = call fastcc i1 @flatten_list(ptr %node, ptr %object, ptr %leaves)
  br label %done
dict:
  %in.dict = call fastcc i1 @flatten_dict(ptr %node, ptr %object, ptr %leaves)
  br label %done
attributes:
  %in.attributes = call fastcc i1 @flatten_attributes(ptr %node, ptr %object, ptr %leaves)
  br label %done
done:
  %matched = phi i1 [ %in.tuple, %tuple ], [ %in.list, %list ], [ %in.dict, %dict ], [ %in.attributes, %attributes ]
  call void @Py_DecRef(ptr %object)
  ret i1 %matched
}

; Identity, or equality of two objects of the node's type (in %names: null where only identity counts).
define internal fastcc i1 @same_static(ptr %node, ptr %object) {
entry:
  %value.field = getelementptr %node, ptr %node, i64 0, i32 2
  %value = load ptr, ptr %value.field
  %identical = icmp eq ptr %object, %value
  br i1 %identical, label %yes, label %type
type:
  %comparable.field = getelementptr %node, ptr %node, i64 0, i32 3
  %comparable = load ptr, ptr %comparable.field
  %type.field = getelementptr %object, ptr %object, i64 0, i32 1
  %object.type = load ptr, ptr %type.field
  %same.type = icmp eq ptr %object.type, %comparable
  br i1 %same.type, label %compare, label %no
compare:
  %order = call i32 @PyObject_RichCompareBool(ptr %object, ptr %value, i32 2)
  %equal = icmp eq i32 %order, 1
  br i1 %equal, label %yes, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

define internal fastcc i1 @flatten_tuple(ptr %node, ptr %object, ptr %leaves) {
entry:
  %count.field = getelementptr %node, ptr %node, i64 0, i32 1
  %count = load i64, ptr %count.field
  %children.field = getelementptr %node, ptr %node, i64 0, i32 4
  %children = load ptr, ptr %children.field
  %size = call i64 @PyTuple_Size(ptr %object)
  %same.size = icmp eq i64 %size, %count
  br i1 %same.size, label %each, label %no
each:
  %i = phi i64 [ 0, %entry ], [ %next, %one ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %yes, label %one
one:
  %child = getelementptr %node, ptr %children, i64 %i
  %item = call ptr @PyTuple_GetItem(ptr %object, i64 %i)
  %next = add i64 %i, 1
  %matched = call fastcc i1 @flatten(ptr %child, ptr %item, ptr %leaves)
  br i1 %matched, label %each, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

; As for tuples, but the size may change while a child is flattened.
define internal fastcc i1 @flatten_list(ptr %node, ptr %object, ptr %leaves) {
entry:
  %count.field = getelementptr %node, ptr %node, i64 0, i32 1
  %count = load i64, ptr %count.field
  %children.field = getelementptr %node, ptr %node, i64 0, i32 4
  %children = load ptr, ptr %children.field
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %one ]
  %size = call i64 @PyList_Size(ptr %object)
  %same.size = icmp eq i64 %size, %count
  br i1 %same.size, label %bounded, label %no
bounded:
  %end = icmp eq i64 %i, %count
  br i1 %end, label %yes, label %one
one:
  %child = getelementptr %node, ptr %children, i64 %i
  %item = call ptr @PyList_GetItem(ptr %object, i64 %i)
  %next = add i64 %i, 1
  %matched = call fastcc i1 @flatten(ptr %child, ptr %item, ptr %leaves)
  br i1 %matched, label %each, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

; Walk the dictionary in its own order as long as this gives the node's very keys in the node's
; order; look up what comes otherwise.
define internal fastcc i1 @flatten_dict(ptr %node, ptr %object, ptr %leaves) {
entry:
  %position = alloca i64
  %key = alloca ptr
  %value = alloca ptr
  %count.field = getelementptr %node, ptr %node, i64 0, i32 1
  %count = load i64, ptr %count.field
  %names.field = getelementptr %node, ptr %node, i64 0, i32 3
  %names = load ptr, ptr %names.field
  %children.field = getelementptr %node, ptr %node, i64 0, i32 4
  %children = load ptr, ptr %children.field
  store i64 0, ptr %position
  %size = call i64 @PyDict_Size(ptr %object)
  %same.size = icmp eq i64 %size, %count
  br i1 %same.size, label %each, label %no
each:
  %i = phi i64 [ 0, %entry ], [ %next, %found ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %yes, label %one
one:
  %name.field = getelementptr ptr, ptr %names, i64 %i
  %name = load ptr, ptr %name.field
  %more = call i32 @PyDict_Next(ptr %object, ptr %position, ptr %key, ptr %value)
  %exhausted = icmp eq i32 %more, 0
  br i1 %exhausted, label %lookup, label %compare
compare:
  %this.key = load ptr, ptr %key
  %this.value = load ptr, ptr %value
  %same.key = icmp eq ptr %this.key, %name
  br i1 %same.key, label %found, label %lookup
lookup:
  %looked.up = call ptr @PyDict_GetItemWithError(ptr %object, ptr %name)
  %missing = icmp eq ptr %looked.up, null
  br i1 %missing, label %absent, label %found
absent:
  call void @PyErr_Clear()                                    ; a user's __eq__ may have raised
  br label %no
found:
  %item = phi ptr [ %this.value, %compare ], [ %looked.up, %lookup ]
  %child = getelementptr %node, ptr %children, i64 %i
  %next = add i64 %i, 1
  %matched = call fastcc i1 @flatten(ptr %child, ptr %item, ptr %leaves)
  br i1 %matched, label %each, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

define internal fastcc i1 @flatten_attributes(ptr %node, ptr %object, ptr %leaves) {
entry:
  %count.field = getelementptr %node, ptr %node, i64 0, i32 1
  %count = load i64, ptr %count.field
  %names.field = getelementptr %node, ptr %node, i64 0, i32 3
  %names = load ptr, ptr %names.field
  %children.field = getelementptr %node, ptr %node, i64 0, i32 4
  %children = load ptr, ptr %children.field
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %found ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %yes, label %one
one:
  %name.field = getelementptr ptr, ptr %names, i64 %i
  %name = load ptr, ptr %name.field
  %value = call ptr @PyObject_GetAttr(ptr %object, ptr %name)
  %missing = icmp eq ptr %value, null
  br i1 %missing, label %absent, label %found
absent:
  call void @PyErr_Clear()                                    ; the slow path will meet it again
  br label %no
found:
  %child = getelementptr %node, ptr %children, i64 %i
  %next = add i64 %i, 1
  %matched = call fastcc i1 @flatten(ptr %child, ptr %value, ptr %leaves)
  call void @Py_DecRef(ptr %value)
  br i1 %matched, label %each, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

; Build the returned object from the results: a new reference, or null with an exception set.
define ptr @gd.build(ptr %node, ptr %results) {
entry:
  %kind = load i64, ptr %node
  %count.field = getelementptr %node, ptr %node, i64 0, i32 1
  %count = load i64, ptr %count.field
  %type.field = getelementptr %node, ptr %node, i64 0, i32 2
  %type = load ptr, ptr %type.field
  %names.field = getelementptr %node, ptr %node, i64 0, i32 3
  %names = load ptr, ptr %names.field
  %template.field = getelementptr %node, ptr %node, i64 0, i32 5
  %template = load ptr, ptr %template.field
  switch i64 %kind, label %constructor [
    i64 0, label %leaf
    i64 1, label %static
    i64 2, label %tuple
    i64 3, label %list
    i64 4, label %dict
  ]
leaf:
  %leaf.field = getelementptr ptr, ptr %results, i64 %count
  %object = load ptr, ptr %leaf.field
  call void @Py_IncRef(ptr %object)
  ret ptr %object
static:
  call void @Py_IncRef(ptr %type)
  ret ptr %type
tuple:
  ; %template: null for a tuple, a type whose instances are allocated like one otherwise.
  %is.tuple = icmp eq ptr %template, null
  br i1 %is.tuple, label %plain, label %named
plain:
  %new.plain = call ptr @PyTuple_New(i64 %count)
  br label %fill
named:
  %new.named = call ptr @PyType_GenericAlloc(ptr %template, i64 %count)
  br label %fill
list:
  %new.list = call ptr @PyList_New(i64 %count)
  br label %fill
dict:
  ; Copying a dictionary that has the keys already is cheaper than growing an empty one.
  %new.dict = call ptr @PyDict_Copy(ptr %template)
  br label %fill
fill:
  %container = phi ptr [ %new.plain, %plain ], [ %new.named, %named ], [ %new.list, %list ], [ %new.dict, %dict ]
  %failed = icmp eq ptr %container, null
  br i1 %failed, label %null, label %each
each:
  %i = phi i64 [ 0, %fill ], [ %next, %put ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %full, label %one
one:
  %child = call fastcc ptr @build_child(ptr %node, i64 %i, ptr %results)
  %no.child = icmp eq ptr %child, null
  br i1 %no.child, label %discard, label %store
store:
  %next = add i64 %i, 1
  switch i64 %kind, label %in.dict [
    i64 2, label %in.tuple
    i64 3, label %in.list
  ]
in.tuple:
  %tuple.status = call i32 @PyTuple_SetItem(ptr %container, i64 %i, ptr %child)
  br label %put
in.list:
  %list.status = call i32 @PyList_SetItem(ptr %container, i64 %i, ptr %child)
  br label %put
in.dict:
  %name.field = getelementptr ptr, ptr %names, i64 %i
  %name = load ptr, ptr %name.field
  %dict.status = call i32 @PyDict_SetItem(ptr %container, ptr %name, ptr %child)
  call void @Py_DecRef(ptr %child)
  %not.put = icmp eq i32 %dict.status, 0
  br i1 %not.put, label %put, label %discard
put:
  br label %each
full:
  ret ptr %container
discard:
  call void @Py_DecRef(ptr %container)
  br label %null
null:
  ret ptr null
constructor:
  %constructed = call fastcc ptr @construct(ptr %node, ptr %results)
  ret ptr %constructed
}

define internal fastcc ptr @build_child(ptr %node, i64 %i, ptr %results) {
  %children.field = getelementptr %node, ptr %node, i64 0, i32 4
  %children = load ptr, ptr %children.field
  %child = getelementptr %node, ptr %children, i64 %i
  %object = call ptr @gd.build(ptr %child, ptr %results)
  ret ptr %object
}

; Call the type with the children as arguments, by keyword if %template is a tuple of their names.
define internal fastcc ptr @construct(ptr %node, ptr %results) {
entry:
  %count.field = getelementptr %node, ptr %node, i64 0, i32 1
  %count = load i64, ptr %count.field
  %type.field = getelementptr %node, ptr %node, i64 0, i32 2
  %type = load ptr, ptr %type.field
  %template.field = getelementptr %node, ptr %node, i64 0, i32 5
  %keywords = load ptr, ptr %template.field
  %arguments = alloca ptr, i64 %count
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %kept ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %call, label %one
one:
  %child = call fastcc ptr @build_child(ptr %node, i64 %i, ptr %results)
  %failed = icmp eq ptr %child, null
  br i1 %failed, label %drop, label %kept
kept:
  %field = getelementptr ptr, ptr %arguments, i64 %i
  store ptr %child, ptr %field
  %next = add i64 %i, 1
  br label %each
call:
  %by.position = icmp eq ptr %keywords, null
  %positional = select i1 %by.position, i64 %count, i64 0
  %object = call ptr @PyObject_Vectorcall(ptr %type, ptr %arguments, i64 %positional, ptr %keywords)
  br label %drop
drop:
  %answer = phi ptr [ null, %one ], [ %object, %call ]
  br label %release
release:
  %j = phi i64 [ 0, %drop ], [ %following, %release.one ]
  %released = icmp eq i64 %j, %i
  br i1 %released, label %done, label %release.one
release.one:
  %held.field = getelementptr ptr, ptr %arguments, i64 %j
  %held = load ptr, ptr %held.field
  call void @Py_DecRef(ptr %held)
  %following = add i64 %j, 1
  br label %release
done:
  ret ptr %answer
}
