; Memory for results and for the temporaries of kernels, aligned to 64 bytes.
;
; A fresh large block costs more than the kernel that fills it, as the system hands out zeroed pages
; one fault at a time. So blocks from 64 KiB on are kept when they are freed, and taken again for a
; request of the same size. From 4 MiB on they consist of huge pages. Kernels ask for them without
; the interpreter's lock, from any thread.
;
; Results of up to 1 KiB come from lists of their own, which are quicker than NumPy's allocator.

%object = type { i64, ptr }
%array = type { %object, ptr, i32, ptr, ptr, ptr, ptr, i32, ptr, ptr, ptr }
;   data, rank, shape, strides, base, dtype, flags, weak references, buffer info, memory handler
%output = type { ptr, i64, ptr, ptr, i64 }                    ; as in call.ll
; In front of the data: link of a list of small blocks, the capacity of a block to be kept (otherwise
; 0), the size that was asked for.
%header = type { ptr, i64, i64, [40 x i8] }
%kept = type { ptr, i64 }                                     ; block, capacity

@PyArray_Type = external global i8
declare void @Py_IncRef(ptr)
declare ptr @PyErr_NoMemory()
declare ptr @PyArray_NewFromDescr(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)
declare i32 @PyTraceMalloc_Track(i32, i64, i64)
declare i32 @posix_memalign(ptr, i64, i64)
declare void @free(ptr)
declare i32 @madvise(ptr, i64, i32)
declare i32 @sched_yield()
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

; Set by pool.py.
@gd.pool.limit = global i64 0                                 ; bytes to keep at most
@gd.pool.advice = global i32 -1                               ; MADV_HUGEPAGE where there is one
@gd.pool.capsule = global ptr null                            ; of @gd.pool.handler

@gd.pool.bytes = global i64 0                                 ; kept now
@lock = internal global i32 0
@kept = internal global [64 x %kept] zeroinitializer          ; a ring
@newest = internal global i64 0                               ; where the last block was put

; PyDataMem_Handler, by which NumPy frees an array's data.
@gd.pool.handler = global { [127 x i8], i8, ptr, ptr, ptr, ptr, ptr } {
  [127 x i8] c"gradatim\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00",
  i8 1, ptr null, ptr @handler_malloc, ptr @handler_calloc, ptr @handler_realloc, ptr @handler_free
}

; The address of %size bytes, or null.
define ptr @gd.alloc(i64 %size) {
entry:
  %sane = icmp ult i64 %size, 4611686018427387904
  br i1 %sane, label %class, label %fail
class:
  %large = icmp uge i64 %size, 65536
  br i1 %large, label %pooled, label %fresh
pooled:
  %up = add i64 %size, 4095
  %rounded = and i64 %up, -4096
  %found = call fastcc ptr @take(i64 %rounded)
  %hit = icmp ne ptr %found, null
  br i1 %hit, label %done, label %fresh
fresh:
  %capacity = phi i64 [ 0, %class ], [ %rounded, %pooled ]
  %new = call fastcc ptr @allocate(i64 %size, i64 %capacity)
  %none = icmp eq ptr %new, null
  br i1 %none, label %fail, label %done
done:
  %header = phi ptr [ %found, %pooled ], [ %new, %fresh ]
  %size.field = getelementptr %header, ptr %header, i64 0, i32 2
  store i64 %size, ptr %size.field
  %data = getelementptr %header, ptr %header, i64 1
  ret ptr %data
fail:
  ret ptr null
}

define internal fastcc ptr @allocate(i64 %size, i64 %capacity) {
entry:
  %place = alloca ptr
  %pooled = icmp ne i64 %capacity, 0
  %room = select i1 %pooled, i64 %capacity, i64 %size
  %total = add i64 %room, 64
  %huge = icmp uge i64 %capacity, 4194304
  %alignment = select i1 %huge, i64 2097152, i64 64
  %status = call i32 @posix_memalign(ptr %place, i64 %alignment, i64 %total)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %got, label %fail
got:
  %header = load ptr, ptr %place
  br i1 %huge, label %advise, label %done
advise:
  %advice = load i32, ptr @gd.pool.advice
  %wanted = icmp sge i32 %advice, 0
  br i1 %wanted, label %ask, label %done
ask:
  %ignored = call i32 @madvise(ptr %header, i64 %total, i32 %advice)
  br label %done
done:
  %capacity.field = getelementptr %header, ptr %header, i64 0, i32 1
  store i64 %capacity, ptr %capacity.field
  ret ptr %header
fail:
  ret ptr null
}

; Give back what @gd.alloc returned; null is allowed.
define void @gd.free(ptr %data) {
entry:
  %nothing = icmp eq ptr %data, null
  br i1 %nothing, label %done, label %some
some:
  %header = getelementptr %header, ptr %data, i64 -1
  %capacity.field = getelementptr %header, ptr %header, i64 0, i32 1
  %capacity = load i64, ptr %capacity.field
  %limit = load i64, ptr @gd.pool.limit
  %unpooled = icmp eq i64 %capacity, 0
  %too.large = icmp ugt i64 %capacity, %limit
  %direct = or i1 %unpooled, %too.large
  br i1 %direct, label %release, label %keep
release:
  call void @free(ptr %header)
  br label %done
keep:
  call fastcc void @keep(ptr %header, i64 %capacity, i64 %limit)
  br label %done
done:
  ret void
}

define internal fastcc void @acquire() {
entry:
  br label %try
try:
  %old = cmpxchg ptr @lock, i32 0, i32 1 acquire monotonic
  %got = extractvalue { i32, i1 } %old, 1
  br i1 %got, label %done, label %wait
wait:
  %ignored = call i32 @sched_yield()
  br label %try
done:
  ret void
}

define internal fastcc void @release_lock() {
  store atomic i32 0, ptr @lock release, align 4
  ret void
}

; A kept block of this capacity, the newest first, or null.
define internal fastcc ptr @take(i64 %capacity) {
entry:
  call fastcc void @acquire()
  %start = load i64, ptr @newest
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %next, %one ]
  %end = icmp eq i64 %i, 64
  br i1 %end, label %none, label %one
one:
  %back = sub i64 %start, %i
  %index = and i64 %back, 63
  %slot = getelementptr [64 x %kept], ptr @kept, i64 0, i64 %index
  %capacity.field = getelementptr %kept, ptr %slot, i64 0, i32 1
  %this = load i64, ptr %capacity.field
  %next = add i64 %i, 1
  %match = icmp eq i64 %this, %capacity
  br i1 %match, label %found, label %each
found:
  %block = call fastcc ptr @empty(ptr %slot)
  br label %none
none:
  %answer = phi ptr [ null, %each ], [ %block, %found ]
  call fastcc void @release_lock()
  ret ptr %answer
}

; Take the block, or null, out of a slot.
define internal fastcc ptr @empty(ptr %slot) {
  %block = load ptr, ptr %slot
  store ptr null, ptr %slot
  %capacity.field = getelementptr %kept, ptr %slot, i64 0, i32 1
  %capacity = load i64, ptr %capacity.field
  store i64 0, ptr %capacity.field
  %bytes = load i64, ptr @gd.pool.bytes
  %fewer = sub i64 %bytes, %capacity
  store i64 %fewer, ptr @gd.pool.bytes
  ret ptr %block
}

; Put a block into the ring, and drop the oldest ones until the limit is kept.
define internal fastcc void @keep(ptr %block, i64 %capacity, i64 %limit) {
entry:
  call fastcc void @acquire()
  %last = load i64, ptr @newest
  %after = add i64 %last, 1
  %position = and i64 %after, 63
  store i64 %position, ptr @newest
  %slot = getelementptr [64 x %kept], ptr @kept, i64 0, i64 %position
  %oldest = call fastcc ptr @empty(ptr %slot)
  call void @free(ptr %oldest)                                ; which allows null
  store ptr %block, ptr %slot
  %capacity.field = getelementptr %kept, ptr %slot, i64 0, i32 1
  store i64 %capacity, ptr %capacity.field
  %bytes = load i64, ptr @gd.pool.bytes
  %more = add i64 %bytes, %capacity
  store i64 %more, ptr @gd.pool.bytes
  call fastcc void @drop(i64 %limit)
  call fastcc void @release_lock()
  ret void
}

; Free the oldest blocks until no more than %limit bytes are kept. The lock is held.
define internal fastcc void @drop(i64 %limit) {
entry:
  %newest = load i64, ptr @newest
  br label %each
each:
  %i = phi i64 [ 1, %entry ], [ %next, %one ]
  %bytes = load i64, ptr @gd.pool.bytes
  %excess = icmp ugt i64 %bytes, %limit
  %unseen = icmp ule i64 %i, 64
  %continue = and i1 %excess, %unseen
  br i1 %continue, label %one, label %done
one:
  %sum = add i64 %newest, %i
  %index = and i64 %sum, 63
  %slot = getelementptr [64 x %kept], ptr @kept, i64 0, i64 %index
  %block = call fastcc ptr @empty(ptr %slot)
  call void @free(ptr %block)
  %next = add i64 %i, 1
  br label %each
done:
  ret void
}

; Free all kept blocks.
define void @gd.pool.trim() {
  call fastcc void @acquire()
  call fastcc void @drop(i64 0)
  call fastcc void @release_lock()
  ret void
}

; Start anew in the child of a fork: a thread that is gone may have held the lock.
define void @gd.pool.reset() {
  call void @llvm.memset.p0.i64(ptr @kept, i8 0, i64 1024, i1 false)
  store i64 0, ptr @gd.pool.bytes
  call fastcc void @release_lock()
  ret void
}

; Blocks of up to 1 KiB for arrays: a list and its length for each size in units of 64 bytes. The
; interpreter's lock guards them: an array is allocated and freed with it.
@small = internal global [16 x ptr] zeroinitializer
@small.free = internal global [16 x i64] zeroinitializer

define internal fastcc ptr @alloc_small(i64 %size) {
entry:
  %one = call i64 @llvm.umax.i64(i64 %size, i64 1)
  %previous = add i64 %one, -1
  %class = lshr i64 %previous, 6
  %head.field = getelementptr [16 x ptr], ptr @small, i64 0, i64 %class
  %head = load ptr, ptr %head.field
  %empty = icmp eq ptr %head, null
  br i1 %empty, label %fresh, label %pop
pop:
  %next = load ptr, ptr %head
  store ptr %next, ptr %head.field
  %free.field = getelementptr [16 x i64], ptr @small.free, i64 0, i64 %class
  %free = load i64, ptr %free.field
  %fewer = add i64 %free, -1
  store i64 %fewer, ptr %free.field
  br label %done
fresh:
  %classes = add i64 %class, 1
  %capacity = shl i64 %classes, 6
  %new = call fastcc ptr @allocate(i64 %capacity, i64 0)
  %none = icmp eq ptr %new, null
  br i1 %none, label %fail, label %mark
mark:
  %capacity.field = getelementptr %header, ptr %new, i64 0, i32 1
  store i64 %capacity, ptr %capacity.field
  br label %done
done:
  %header = phi ptr [ %head, %pop ], [ %new, %mark ]
  %size.field = getelementptr %header, ptr %header, i64 0, i32 2
  store i64 %size, ptr %size.field
  %data = getelementptr %header, ptr %header, i64 1
  ret ptr %data
fail:
  ret ptr null
}
declare i64 @llvm.umax.i64(i64, i64)

; Give back the data of an array, of any size.
define internal fastcc void @free_any(ptr %data) {
entry:
  %header = getelementptr %header, ptr %data, i64 -1
  %capacity.field = getelementptr %header, ptr %header, i64 0, i32 1
  %capacity = load i64, ptr %capacity.field
  %previous = add i64 %capacity, -1
  %small = icmp ult i64 %previous, 1024
  br i1 %small, label %push, label %large
push:
  %class = lshr i64 %previous, 6
  %free.field = getelementptr [16 x i64], ptr @small.free, i64 0, i64 %class
  %free = load i64, ptr %free.field
  %full = icmp uge i64 %free, 256
  br i1 %full, label %drop, label %link
link:
  %more = add i64 %free, 1
  store i64 %more, ptr %free.field
  %head.field = getelementptr [16 x ptr], ptr @small, i64 0, i64 %class
  %head = load ptr, ptr %head.field
  store ptr %head, ptr %header
  store ptr %header, ptr %head.field
  ret void
drop:
  call void @free(ptr %header)
  ret void
large:
  call void @gd.free(ptr %data)
  ret void
}

define internal ptr @handler_malloc(ptr %context, i64 %size) {
  %data = call ptr @gd.alloc(i64 %size)
  ret ptr %data
}

define internal ptr @handler_calloc(ptr %context, i64 %count, i64 %size) {
entry:
  %product = call { i64, i1 } @llvm.umul.with.overflow.i64(i64 %count, i64 %size)
  %bytes = extractvalue { i64, i1 } %product, 0
  %overflow = extractvalue { i64, i1 } %product, 1
  %request = select i1 %overflow, i64 -1, i64 %bytes
  %data = call ptr @gd.alloc(i64 %request)
  %none = icmp eq ptr %data, null
  br i1 %none, label %done, label %clear
clear:
  call void @llvm.memset.p0.i64(ptr %data, i8 0, i64 %bytes, i1 false)
  br label %done
done:
  ret ptr %data
}
declare { i64, i1 } @llvm.umul.with.overflow.i64(i64, i64)

define internal ptr @handler_realloc(ptr %context, ptr %old, i64 %size) {
entry:
  %new = call ptr @gd.alloc(i64 %size)
  %none = icmp eq ptr %new, null
  %first = icmp eq ptr %old, null
  %nothing = or i1 %none, %first
  br i1 %nothing, label %done, label %copy
copy:
  %header = getelementptr %header, ptr %old, i64 -1
  %size.field = getelementptr %header, ptr %header, i64 0, i32 2
  %old.size = load i64, ptr %size.field
  %shrinks = icmp ult i64 %size, %old.size
  %common = select i1 %shrinks, i64 %size, i64 %old.size
  call void @llvm.memcpy.p0.p0.i64(ptr %new, ptr %old, i64 %common, i1 false)
  call fastcc void @free_any(ptr %old)
  br label %done
done:
  ret ptr %new
}

define internal void @handler_free(ptr %context, ptr %data, i64 %size) {
  call fastcc void @free_any(ptr %data)
  ret void
}

; A new array for %output whose data comes from the pool, or null with an exception set.
define ptr @gd.pool.array(ptr %output) {
entry:
  %size.field = getelementptr %output, ptr %output, i64 0, i32 4
  %size = load i64, ptr %size.field
  %is.small = icmp ule i64 %size, 1024
  br i1 %is.small, label %small, label %large
small:
  %small.data = call fastcc ptr @alloc_small(i64 %size)
  br label %allocated
large:
  %large.data = call ptr @gd.alloc(i64 %size)
  br label %allocated
allocated:
  %data = phi ptr [ %small.data, %small ], [ %large.data, %large ]
  %none = icmp eq ptr %data, null
  br i1 %none, label %memory, label %create
memory:
  %ignored = call ptr @PyErr_NoMemory()
  ret ptr null
create:
  %dtype = load ptr, ptr %output
  %rank.field = getelementptr %output, ptr %output, i64 0, i32 1
  %rank = load i64, ptr %rank.field
  %rank32 = trunc i64 %rank to i32
  %shape.field = getelementptr %output, ptr %output, i64 0, i32 2
  %shape = load ptr, ptr %shape.field
  call void @Py_IncRef(ptr %dtype)                            ; NewFromDescr takes this reference
  ; 1281: C_CONTIGUOUS | ALIGNED | WRITEABLE
  %array = call ptr @PyArray_NewFromDescr(ptr @PyArray_Type, ptr %dtype, i32 %rank32, ptr %shape, ptr null, ptr %data, i32 1281, ptr null)
  %failed = icmp eq ptr %array, null
  br i1 %failed, label %discard, label %own
discard:
  call fastcc void @free_any(ptr %data)
  ret ptr null
own:
  %flags.field = getelementptr %array, ptr %array, i64 0, i32 7
  %flags = load i32, ptr %flags.field
  %owning = or i32 %flags, 4                                  ; OWNDATA
  store i32 %owning, ptr %flags.field
  %capsule = load ptr, ptr @gd.pool.capsule
  call void @Py_IncRef(ptr %capsule)
  %handler.field = getelementptr %array, ptr %array, i64 0, i32 10
  store ptr %capsule, ptr %handler.field
  %address = ptrtoint ptr %data to i64
  %tracked = call i32 @PyTraceMalloc_Track(i32 389047, i64 %address, i64 %size) ; NumPy's domain
  ret ptr %array
}
