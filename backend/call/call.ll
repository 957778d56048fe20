; The vectorcall function of every compiled callable.
;
; A callable carries a table of programs. A program is one compilation for one signature, described
; by the structures below, which program.py lays out in memory. @gd.call tries the programs in
; order: match the arguments, allocate the results, run, hand the results over. If none matches, the
; call goes on to the callable's slow path in Python.
;
; References: an array or scalar among the arguments is borrowed from the caller, who holds it
; during the call; one found in a container is held here, since the container could change while the
; program runs without the interpreter's lock.

; CPython (Include/cpython/object.h, tupleobject.h); checked at import by abi.py.
%object = type { i64, ptr }                                   ; reference count, type
%tuple = type { %object, i64, [0 x ptr] }                     ; size, items
%bytes = type { %object, i64, i64, [0 x ptr] }                ; size, hash, content

; NumPy (ndarraytypes.h); checked likewise.
%array = type { %object, ptr, i32, ptr, ptr, ptr, ptr, i32 }  ; data, rank, shape, strides, base, dtype, flags
%dtype = type { %object, ptr, i8, i8, i8, i8, i32 }           ; scalar type, kind, char, byte order, -, number
%scalar = type { %object, [16 x i8] }                         ; value; Python's float and complex likewise

; Ours: the instance (native.py) and a program's tables (program.py).
;   callable: vectorcall, calls under way, on_error, programs, retired, slow, table (a bytes object)
%callable = type { %object, ptr, i64, ptr, ptr, ptr, ptr, ptr }
;   input: type of a scalar argument, how to convert it, two numbers of the dtype, rank, shape
%input = type { ptr, i64, i32, i32, i64, ptr }
;   output: dtype, rank, shape, allocator (null: NumPy's), bytes
%output = type { ptr, i64, ptr, ptr, i64 }
;   program: entry, number of positional arguments, keywords, flatten, parameters,
;            inputs (number, table), outputs (number, table), build, result
%program = type { ptr, i64, ptr, ptr, ptr, i64, ptr, i64, ptr, ptr, ptr }

@PyArray_Type = external global i8
@Py_True = external global i8                                 ; the object True itself

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyLong_FromLong(i64)
declare i64 @PyLong_AsLongLongAndOverflow(ptr, ptr)
declare void @PyErr_SetString(ptr, ptr)
declare ptr @PyArray_Scalar(ptr, ptr, ptr)
declare ptr @PyArray_NewFromDescr(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)
@PyExc_SystemError = external global ptr
@cleared = private constant [58 x i8] c"a compiled function was called after garbage collection\00\00\00"

define ptr @gd.call(ptr %self, ptr %args, i64 %nargsf, ptr %kwnames) {
entry:
  %result = alloca ptr
  %count = and i64 %nargsf, 9223372036854775807               ; without PY_VECTORCALL_ARGUMENTS_OFFSET
  %table.field = getelementptr %callable, ptr %self, i64 0, i32 7
  %table = load ptr, ptr %table.field
  %empty = icmp eq ptr %table, null
  br i1 %empty, label %slow, label %enter
enter:
  %running = getelementptr %callable, ptr %self, i64 0, i32 2
  %before = load i64, ptr %running
  %during = add i64 %before, 1
  store i64 %during, ptr %running
  %programs = getelementptr %bytes, ptr %table, i64 0, i32 3
  br label %each
each:
  %i = phi i64 [ 0, %enter ], [ %next, %try ]
  %program.field = getelementptr ptr, ptr %programs, i64 %i
  %program = load ptr, ptr %program.field
  %end = icmp eq ptr %program, null
  br i1 %end, label %mismatch, label %try
try:
  %next = add i64 %i, 1
  %status = call fastcc i64 @attempt(ptr %program, ptr %args, i64 %count, ptr %kwnames, ptr %result)
  %again = icmp eq i64 %status, -1
  br i1 %again, label %each, label %ran
ran:
  call fastcc void @leave(ptr %running)
  %good = icmp eq i64 %status, 0
  br i1 %good, label %done, label %error
done:
  %value = load ptr, ptr %result
  ret ptr %value
error:
  %raised = call fastcc ptr @report(ptr %self, i64 %status, ptr %args, i64 %count, ptr %kwnames)
  ret ptr %raised
mismatch:
  call fastcc void @leave(ptr %running)
  br label %slow
slow:
  %slow.field = getelementptr %callable, ptr %self, i64 0, i32 6
  %slow.path = load ptr, ptr %slow.field
  %lost = icmp eq ptr %slow.path, null
  br i1 %lost, label %dead, label %forward
forward:
  %answer = call ptr @PyObject_Vectorcall(ptr %slow.path, ptr %args, i64 %count, ptr %kwnames)
  ret ptr %answer
dead:
  %dead.call = call fastcc ptr @raise_cleared()
  ret ptr %dead.call
}

; The garbage collector has taken the callable apart, and a finalizer calls it nevertheless.
define internal fastcc ptr @raise_cleared() {
  %class = load ptr, ptr @PyExc_SystemError
  call void @PyErr_SetString(ptr %class, ptr @cleared)
  ret ptr null
}

define internal fastcc void @leave(ptr %running) alwaysinline {
  %now = load i64, ptr %running
  %less = add i64 %now, -1
  store i64 %less, ptr %running
  ret void
}

; Let the callable's error hook answer the call: it gets the program's status, then the arguments.
define internal fastcc ptr @report(ptr %self, i64 %status, ptr %args, i64 %count, ptr %kwnames) {
entry:
  %hook.field = getelementptr %callable, ptr %self, i64 0, i32 3
  %hook = load ptr, ptr %hook.field
  %dead = icmp eq ptr %hook, null
  br i1 %dead, label %cleared, label %convert
cleared:
  %raised = call fastcc ptr @raise_cleared()
  ret ptr %raised
convert:
  %code = call ptr @PyLong_FromLong(i64 %status)
  %lost = icmp eq ptr %code, null
  br i1 %lost, label %fail, label %keywords
keywords:
  %positional = icmp eq ptr %kwnames, null
  br i1 %positional, label %copy, label %named
named:
  %names.field = getelementptr %tuple, ptr %kwnames, i64 0, i32 1
  %names = load i64, ptr %names.field
  br label %copy
copy:
  %more = phi i64 [ 0, %keywords ], [ %names, %named ]
  %all = add i64 %count, %more
  %room = add i64 %all, 1
  %arguments = alloca ptr, i64 %room
  store ptr %code, ptr %arguments
  %others = getelementptr ptr, ptr %arguments, i64 1
  %bytes = mul i64 %all, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %others, ptr %args, i64 %bytes, i1 false)
  %given = add i64 %count, 1
  %answer = call ptr @PyObject_Vectorcall(ptr %hook, ptr %arguments, i64 %given, ptr %kwnames)
  call void @Py_DecRef(ptr %code)
  ret ptr %answer
fail:
  ret ptr null
}

; Run one program. Returns -1 if the arguments do not match its signature, or the program itself
; finds that it is not for them; its own status if that is another one than 0; and otherwise 0 with
; *%result a new reference, or null if an exception is set.
define internal fastcc i64 @attempt(ptr %program, ptr %args, i64 %count, ptr %kwnames, ptr %result) alwaysinline {
entry:
  %positional.field = getelementptr %program, ptr %program, i64 0, i32 1
  %positional = load i64, ptr %positional.field
  %keywords.field = getelementptr %program, ptr %program, i64 0, i32 2
  %keywords = load ptr, ptr %keywords.field
  %same.count = icmp eq i64 %count, %positional
  %same.keywords = call fastcc i1 @keywords(ptr %kwnames, ptr %keywords)
  %same.form = and i1 %same.count, %same.keywords
  br i1 %same.form, label %prepare, label %mismatch
prepare:
  %inputs.field = getelementptr %program, ptr %program, i64 0, i32 5
  %inputs = load i64, ptr %inputs.field
  %outputs.field = getelementptr %program, ptr %program, i64 0, i32 7
  %outputs = load i64, ptr %outputs.field
  %buffer.count = add i64 %inputs, %outputs
  %buffers = alloca ptr, i64 %buffer.count
  %slots = alloca [16 x i8], i64 %buffer.count, align 16
  %results = alloca ptr, i64 %outputs
  %flatten.field = getelementptr %program, ptr %program, i64 0, i32 3
  %flatten = load ptr, ptr %flatten.field
  %flat = icmp eq ptr %flatten, null
  br i1 %flat, label %match, label %unpack
unpack:
  %held = alloca ptr, i64 %inputs
  %held.bytes = mul i64 %inputs, 8
  call void @llvm.memset.p0.i64(ptr %held, i8 0, i64 %held.bytes, i1 false)
  %parameters.field = getelementptr %program, ptr %program, i64 0, i32 4
  %parameters = load ptr, ptr %parameters.field
  %unpacked = call i1 %flatten(ptr %parameters, ptr %args, ptr %held)
  br i1 %unpacked, label %match, label %release.mismatch
match:
  %objects = phi ptr [ %args, %prepare ], [ %held, %unpack ]
  %holding = phi i64 [ 0, %prepare ], [ %inputs, %unpack ]
  %input.field = getelementptr %program, ptr %program, i64 0, i32 6
  %input.table = load ptr, ptr %input.field
  %matched = call fastcc i1 @match(ptr %input.table, i64 %inputs, ptr %objects, ptr %buffers, ptr %slots)
  br i1 %matched, label %allocate, label %release.mismatch
allocate:
  %output.field = getelementptr %program, ptr %program, i64 0, i32 8
  %output.table = load ptr, ptr %output.field
  %output.buffers = getelementptr ptr, ptr %buffers, i64 %inputs
  %output.slots = getelementptr [16 x i8], ptr %slots, i64 %inputs
  store ptr null, ptr %result
  %allocated = call fastcc i1 @allocate(ptr %output.table, i64 %outputs, ptr %results, ptr %output.buffers, ptr %output.slots)
  br i1 %allocated, label %run, label %finish
run:
  %entry.field = getelementptr %program, ptr %program, i64 0, i32 0
  %entry.point = load ptr, ptr %entry.field
  %status = call i32 %entry.point(ptr %buffers)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %collect, label %discard
collect:
  %collected = call fastcc ptr @collect(ptr %program, ptr %results, ptr %output.slots)
  store ptr %collected, ptr %result
  br label %finish
discard:
  call fastcc void @release(ptr %results, i64 %outputs)
  br label %finish
finish:
  %code = phi i32 [ 0, %allocate ], [ 0, %collect ], [ %status, %discard ]
  call fastcc void @release(ptr %objects, i64 %holding)
  %wide = sext i32 %code to i64
  ret i64 %wide
release.mismatch:
  %partial = phi ptr [ %held, %unpack ], [ %objects, %match ]
  %partial.count = phi i64 [ %inputs, %unpack ], [ %holding, %match ]
  call fastcc void @release(ptr %partial, i64 %partial.count)
  br label %mismatch
mismatch:
  ret i64 -1
}

; Are the two tuples of keywords (null: no keywords) the same? Names are compared by identity:
; the interpreter interns those of a call.
define internal fastcc i1 @keywords(ptr %given, ptr %expected) alwaysinline {
entry:
  %same = icmp eq ptr %given, %expected
  br i1 %same, label %yes, label %null
null:
  %no.given = icmp eq ptr %given, null
  %no.expected = icmp eq ptr %expected, null
  %one.missing = or i1 %no.given, %no.expected
  br i1 %one.missing, label %no, label %size
size:
  %given.field = getelementptr %tuple, ptr %given, i64 0, i32 1
  %given.size = load i64, ptr %given.field
  %expected.field = getelementptr %tuple, ptr %expected, i64 0, i32 1
  %expected.size = load i64, ptr %expected.field
  %same.size = icmp eq i64 %given.size, %expected.size
  br i1 %same.size, label %each, label %no
each:
  %i = phi i64 [ 0, %size ], [ %next, %compare ]
  %end = icmp eq i64 %i, %given.size
  br i1 %end, label %yes, label %compare
compare:
  %given.item = getelementptr %tuple, ptr %given, i64 0, i32 2, i64 %i
  %given.name = load ptr, ptr %given.item
  %expected.item = getelementptr %tuple, ptr %expected, i64 0, i32 2, i64 %i
  %expected.name = load ptr, ptr %expected.item
  %next = add i64 %i, 1
  %same.name = icmp eq ptr %given.name, %expected.name
  br i1 %same.name, label %each, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

; Match each object with its input and store the address of its data.
define internal fastcc i1 @match(ptr %inputs, i64 %count, ptr %objects, ptr %buffers, ptr %slots) alwaysinline {
entry:
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %matched ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %yes, label %one
one:
  %input = getelementptr %input, ptr %inputs, i64 %i
  %object.field = getelementptr ptr, ptr %objects, i64 %i
  %object = load ptr, ptr %object.field
  %slot = getelementptr [16 x i8], ptr %slots, i64 %i
  %data = call fastcc ptr @data(ptr %input, ptr %object, ptr %slot)
  %bad = icmp eq ptr %data, null
  br i1 %bad, label %no, label %matched
matched:
  %buffer = getelementptr ptr, ptr %buffers, i64 %i
  store ptr %data, ptr %buffer
  %next = add i64 %i, 1
  br label %each
yes:
  ret i1 true
no:
  ret i1 false
}

; The address of the object's data, or null if the object is not what the input asks for.
define internal fastcc ptr @data(ptr %input, ptr %object, ptr %slot) alwaysinline {
entry:
  %overflow = alloca i32
  %type.field = getelementptr %object, ptr %object, i64 0, i32 1
  %type = load ptr, ptr %type.field
  %scalar.type = load ptr, ptr %input
  %is.scalar = icmp eq ptr %type, %scalar.type
  br i1 %is.scalar, label %scalar, label %array
scalar:
  %conversion.field = getelementptr %input, ptr %input, i64 0, i32 1
  %conversion = load i64, ptr %conversion.field
  switch i64 %conversion, label %no [
    i64 0, label %stored
    i64 1, label %integer
    i64 2, label %truth
  ]
stored:
  %value = getelementptr %scalar, ptr %object, i64 0, i32 1
  ret ptr %value
integer:
  %int64 = call i64 @PyLong_AsLongLongAndOverflow(ptr %object, ptr %overflow)
  store i64 %int64, ptr %slot
  %overflown = load i32, ptr %overflow
  %fits = icmp eq i32 %overflown, 0
  br i1 %fits, label %converted, label %no
truth:
  %true = icmp eq ptr %object, @Py_True
  %bool = zext i1 %true to i8
  store i8 %bool, ptr %slot
  br label %converted
converted:
  ret ptr %slot
array:
  %is.array = icmp eq ptr %type, @PyArray_Type
  br i1 %is.array, label %rank, label %no
rank:
  %rank.field = getelementptr %array, ptr %object, i64 0, i32 2
  %rank32 = load i32, ptr %rank.field
  %rank64 = zext i32 %rank32 to i64
  %expected.field = getelementptr %input, ptr %input, i64 0, i32 4
  %expected = load i64, ptr %expected.field
  %same.rank = icmp eq i64 %rank64, %expected
  %flags.field = getelementptr %array, ptr %object, i64 0, i32 7
  %flags = load i32, ptr %flags.field
  %layout = and i32 %flags, 257                               ; C_CONTIGUOUS | ALIGNED
  %plain = icmp eq i32 %layout, 257
  %readable = and i1 %same.rank, %plain
  br i1 %readable, label %dtype, label %no
dtype:
  ; The dtype need not be NumPy's singleton (arrays that were unpickled), so compare its number.
  %dtype.field = getelementptr %array, ptr %object, i64 0, i32 6
  %dtype.object = load ptr, ptr %dtype.field
  %number.field = getelementptr %dtype, ptr %dtype.object, i64 0, i32 6
  %number = load i32, ptr %number.field
  %first.field = getelementptr %input, ptr %input, i64 0, i32 2
  %first = load i32, ptr %first.field
  %second.field = getelementptr %input, ptr %input, i64 0, i32 3
  %second = load i32, ptr %second.field
  %is.first = icmp eq i32 %number, %first
  %is.second = icmp eq i32 %number, %second
  %same.number = or i1 %is.first, %is.second
  %order.field = getelementptr %dtype, ptr %dtype.object, i64 0, i32 4
  %order = load i8, ptr %order.field
  %native = icmp ne i8 %order, 62                             ; '>': swapped on a little-endian machine
  %same.dtype = and i1 %same.number, %native
  br i1 %same.dtype, label %shape, label %no
shape:
  %shape.field = getelementptr %array, ptr %object, i64 0, i32 3
  %given.shape = load ptr, ptr %shape.field
  %shape.expected = getelementptr %input, ptr %input, i64 0, i32 5
  %expected.shape = load ptr, ptr %shape.expected
  br label %each
each:
  %i = phi i64 [ 0, %shape ], [ %next, %compare ]
  %end = icmp eq i64 %i, %rank64
  br i1 %end, label %yes, label %compare
compare:
  %given.field = getelementptr i64, ptr %given.shape, i64 %i
  %given.extent = load i64, ptr %given.field
  %extent.field = getelementptr i64, ptr %expected.shape, i64 %i
  %extent = load i64, ptr %extent.field
  %next = add i64 %i, 1
  %same.extent = icmp eq i64 %given.extent, %extent
  br i1 %same.extent, label %each, label %no
yes:
  %data.field = getelementptr %array, ptr %object, i64 0, i32 1
  %data = load ptr, ptr %data.field
  ret ptr %data
no:
  ret ptr null
}

; Allocate the results that are arrays; a scalar is computed into its slot, its result stays null.
; On failure everything is released and an exception is set.
define internal fastcc i1 @allocate(ptr %outputs, i64 %count, ptr %results, ptr %buffers, ptr %slots) alwaysinline {
entry:
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %stored ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %yes, label %one
one:
  %output = getelementptr %output, ptr %outputs, i64 %i
  %rank.field = getelementptr %output, ptr %output, i64 0, i32 1
  %rank = load i64, ptr %rank.field
  %slot = getelementptr [16 x i8], ptr %slots, i64 %i
  %is.scalar = icmp eq i64 %rank, 0
  br i1 %is.scalar, label %stored, label %array
array:
  %allocator.field = getelementptr %output, ptr %output, i64 0, i32 3
  %allocator = load ptr, ptr %allocator.field
  %default = icmp eq ptr %allocator, null
  br i1 %default, label %numpy, label %pool
numpy:
  %dtype = load ptr, ptr %output
  %shape.field = getelementptr %output, ptr %output, i64 0, i32 2
  %shape = load ptr, ptr %shape.field
  %rank32 = trunc i64 %rank to i32
  call void @Py_IncRef(ptr %dtype)                            ; NewFromDescr takes this reference
  %new.numpy = call ptr @PyArray_NewFromDescr(ptr @PyArray_Type, ptr %dtype, i32 %rank32, ptr %shape, ptr null, ptr null, i32 0, ptr null)
  br label %allocated
pool:
  %new.pool = call ptr %allocator(ptr %output)
  br label %allocated
allocated:
  %array.object = phi ptr [ %new.numpy, %numpy ], [ %new.pool, %pool ]
  %failed = icmp eq ptr %array.object, null
  br i1 %failed, label %no, label %opened
opened:
  %data.field = getelementptr %array, ptr %array.object, i64 0, i32 1
  %data = load ptr, ptr %data.field
  br label %stored
stored:
  %result.object = phi ptr [ null, %one ], [ %array.object, %opened ]
  %target = phi ptr [ %slot, %one ], [ %data, %opened ]
  %result = getelementptr ptr, ptr %results, i64 %i
  store ptr %result.object, ptr %result
  %buffer = getelementptr ptr, ptr %buffers, i64 %i
  store ptr %target, ptr %buffer
  %next = add i64 %i, 1
  br label %each
yes:
  ret i1 true
no:
  call fastcc void @release(ptr %results, i64 %i)
  ret i1 false
}

; Turn the results into the returned object: a new reference, or null with an exception set.
define internal fastcc ptr @collect(ptr %program, ptr %results, ptr %slots) alwaysinline {
entry:
  %count.field = getelementptr %program, ptr %program, i64 0, i32 7
  %count = load i64, ptr %count.field
  %output.field = getelementptr %program, ptr %program, i64 0, i32 8
  %outputs = load ptr, ptr %output.field
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %kept ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %assemble, label %one
one:
  %next = add i64 %i, 1
  %result = getelementptr ptr, ptr %results, i64 %i
  %object = load ptr, ptr %result
  %is.scalar = icmp eq ptr %object, null
  br i1 %is.scalar, label %scalar, label %kept
scalar:
  %output = getelementptr %output, ptr %outputs, i64 %i
  %dtype = load ptr, ptr %output
  %slot = getelementptr [16 x i8], ptr %slots, i64 %i
  %value = call ptr @PyArray_Scalar(ptr %slot, ptr %dtype, ptr null)
  store ptr %value, ptr %result
  %failed = icmp eq ptr %value, null
  br i1 %failed, label %discard, label %kept
kept:
  br label %each
assemble:
  %build.field = getelementptr %program, ptr %program, i64 0, i32 9
  %build = load ptr, ptr %build.field
  %single = icmp eq ptr %build, null
  br i1 %single, label %first, label %structure
first:
  %only = load ptr, ptr %results
  ret ptr %only
structure:
  %node.field = getelementptr %program, ptr %program, i64 0, i32 10
  %node = load ptr, ptr %node.field
  %built = call ptr %build(ptr %node, ptr %results)
  br label %discard
discard:
  %answer = phi ptr [ %built, %structure ], [ null, %scalar ]
  call fastcc void @release(ptr %results, i64 %count)
  ret ptr %answer
}

define internal fastcc void @release(ptr %objects, i64 %count) alwaysinline {
entry:
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %one ]
  %end = icmp eq i64 %i, %count
  br i1 %end, label %done, label %one
one:
  %field = getelementptr ptr, ptr %objects, i64 %i
  %object = load ptr, ptr %field
  call void @Py_DecRef(ptr %object)                           ; which allows null
  %next = add i64 %i, 1
  br label %each
done:
  ret void
}

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
