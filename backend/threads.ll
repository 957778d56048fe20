; Threads that share the chunks of a parallel loop.
;
; A loop of kernel code is split into chunks, and whoever is free claims the next one: the caller,
; which works like all others, and the workers, which wait for loops. The caller never waits for a
; worker to begin, only for chunks that were claimed to end. So a machine with no core to spare
; costs little more than running the loop by one thread.
;
; One loop is shared out at a time. A loop that begins meanwhile, in another thread or in a chunk,
; is run by its caller alone.

declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(ptr)
declare i32 @pthread_attr_init(ptr)
declare i32 @pthread_attr_setstacksize(ptr, i64)
declare i32 @pthread_attr_destroy(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @sched_yield()
declare i32 @clock_gettime(i32, ptr)
; `void @relax()`, what the processor has for loops that wait, is added by threads.py.

; Set by threads.py.
@gd.threads.helpers = global i64 0                            ; workers to start
@gd.threads.set.mask = global i32 2                           ; SIG_SETMASK
@gd.threads.clock = global i32 1                              ; CLOCK_MONOTONIC

; The loop that is shared out. What it consists of is written while there are no chunks to claim.
@function = internal global ptr null
@context = internal global ptr null
@chunks = internal global i64 0
@unclaimed = internal global i64 0, align 128
@unfinished = internal global i64 0, align 128

@ended = internal global i64 -1000000000                      ; when the last loop did
@busy = internal global i32 0, align 128                      ; whether a loop is shared out
@sleepers = internal global i64 0                             ; workers that have to be woken up
@workers = internal global i64 0                              ; that were started
@mutex = internal global [128 x i8] zeroinitializer, align 16 ; for going to sleep
@wake = internal global [128 x i8] zeroinitializer, align 16  ; the condition: there are chunks

; Call %function(%context, i) for each i of 0..%chunks, in any order, by several threads.
define void @gd.parallel(ptr %function, ptr %context, i64 %chunks) {
entry:
  %helpers = load i64, ptr @gd.threads.helpers
  %alone = icmp sle i64 %helpers, 0
  %few = icmp sle i64 %chunks, 1
  %serial.wanted = or i1 %alone, %few
  br i1 %serial.wanted, label %serial, label %reserve
reserve:
  %old = cmpxchg ptr @busy, i32 0, i32 1 acquire monotonic
  %free = extractvalue { i32, i1 } %old, 1
  br i1 %free, label %shared, label %serial
serial:
  call fastcc void @run_all(ptr %function, ptr %context, i64 %chunks)
  ret void
shared:
  %workers = load i64, ptr @workers
  %new = icmp eq i64 %workers, 0
  br i1 %new, label %start, label %publish
start:
  call fastcc void @start(i64 %helpers)
  br label %publish
publish:
  store ptr %function, ptr @function
  store ptr %context, ptr @context
  store i64 %chunks, ptr @chunks
  store atomic i64 %chunks, ptr @unfinished monotonic, align 8
  ; Sequentially consistent, as are the steps of @sleep: either the worker sees the chunks before it
  ; sleeps, or it is seen here.
  %none = atomicrmw xchg ptr @unclaimed, i64 %chunks seq_cst
  %sleepers = load atomic i64, ptr @sleepers seq_cst, align 8
  %asleep = icmp ne i64 %sleepers, 0
  br i1 %asleep, label %consider, label %work
consider:
  %pays = call fastcc i1 @waking_pays(i64 %chunks)
  br i1 %pays, label %awaken, label %work
awaken:
  %locked = call i32 @pthread_mutex_lock(ptr @mutex)
  %woken = call i32 @pthread_cond_broadcast(ptr @wake)
  %unlocked = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %work
work:
  %did = call fastcc i1 @run_one()
  br i1 %did, label %work, label %wait
wait:
  %tries = phi i64 [ 0, %work ], [ %more, %idle ], [ %more, %yield ]
  %unfinished = load atomic i64, ptr @unfinished acquire, align 8
  %finished = icmp eq i64 %unfinished, 0
  br i1 %finished, label %done, label %idle
idle:
  %more = add i64 %tries, 1
  call void @relax()
  %long = icmp sge i64 %more, 500
  br i1 %long, label %yield, label %wait
yield:
  %yielded = call i32 @sched_yield()                          ; perhaps to a worker with a chunk
  br label %wait
done:
  %now = call fastcc i64 @now()
  store i64 %now, ptr @ended
  store atomic i32 0, ptr @busy release, align 4
  ret void
}

; Whether to wake up workers for the loop that has just been shared out. This takes the caller some
; 10 microseconds and the workers 50 or more to come. It pays if the loop is long, by the time of its
; first chunk, and if another one ended just now: then there will be more of them, for which the
; workers stay awake.
define internal fastcc i1 @waking_pays(i64 %chunks) {
entry:
  %begin = call fastcc i64 @now()
  %ended = load i64, ptr @ended
  %gap = sub i64 %begin, %ended
  %continues = icmp slt i64 %gap, 20000
  %few = icmp slt i64 %chunks, 16                             ; the first is too much of the loop
  %surely = or i1 %continues, %few
  br i1 %surely, label %yes, label %measure
measure:
  %did = call fastcc i1 @run_one()
  %end = call fastcc i64 @now()
  %took = sub i64 %end, %begin
  %left = load atomic i64, ptr @unclaimed monotonic, align 8
  %rest = mul i64 %took, %left
  %long = icmp sgt i64 %rest, 200000
  ret i1 %long
yes:
  ret i1 true
}

; Nanoseconds since some time in the past.
define internal fastcc i64 @now() {
  %time = alloca { i64, i64 }
  %clock = load i32, ptr @gd.threads.clock
  %status = call i32 @clock_gettime(i32 %clock, ptr %time)
  %seconds = load i64, ptr %time
  %part.field = getelementptr { i64, i64 }, ptr %time, i64 0, i32 1
  %part = load i64, ptr %part.field
  %whole = mul i64 %seconds, 1000000000
  %sum = add i64 %whole, %part
  ret i64 %sum
}

define internal fastcc void @run_all(ptr %function, ptr %context, i64 %chunks) {
entry:
  br label %test
test:
  %i = phi i64 [ 0, %entry ], [ %next, %one ]
  %more = icmp slt i64 %i, %chunks
  br i1 %more, label %one, label %done
one:
  call void %function(ptr %context, i64 %i)
  %next = add i64 %i, 1
  br label %test
done:
  ret void
}

; Claim a chunk and run it; false if there is none.
define internal fastcc i1 @run_one() {
entry:
  %first = load atomic i64, ptr @unclaimed monotonic, align 8
  br label %try
try:
  %left = phi i64 [ %first, %entry ], [ %found, %claim ]
  %any = icmp sgt i64 %left, 0
  br i1 %any, label %claim, label %none
claim:
  %fewer = add i64 %left, -1
  %old = cmpxchg ptr @unclaimed, i64 %left, i64 %fewer acquire monotonic
  %found = extractvalue { i64, i1 } %old, 0
  %mine = extractvalue { i64, i1 } %old, 1
  br i1 %mine, label %run, label %try
run:
  ; The loop does not end before this chunk does, so these are its own.
  %function = load ptr, ptr @function
  %context = load ptr, ptr @context
  %chunks = load i64, ptr @chunks
  %chunk = sub i64 %chunks, %left
  call void %function(ptr %context, i64 %chunk)
  %before = atomicrmw sub ptr @unfinished, i64 1 release
  ret i1 true
none:
  ret i1 false
}

; A worker: run chunks; look for more for some 20 microseconds; sleep. It does not yield the processor
; in between, since the system would let it wait longer then than after a sleep.
define internal ptr @worker(ptr %unused) {
entry:
  br label %look
look:
  %tries = phi i64 [ 0, %entry ], [ 0, %sleep ], [ 0, %look ], [ %more, %idle ]
  %did = call fastcc i1 @run_one()
  br i1 %did, label %look, label %idle
idle:
  %more = add i64 %tries, 1
  call void @relax()
  %enough = icmp sge i64 %more, 500
  br i1 %enough, label %sleep, label %look
sleep:
  call fastcc void @sleep()
  br label %look
}

; Return when there are chunks to claim.
define internal fastcc void @sleep() {
entry:
  %locked = call i32 @pthread_mutex_lock(ptr @mutex)
  %before = atomicrmw add ptr @sleepers, i64 1 seq_cst
  br label %test
test:
  %left = load atomic i64, ptr @unclaimed seq_cst, align 8
  %any = icmp sgt i64 %left, 0
  br i1 %any, label %done, label %wait
wait:
  %waited = call i32 @pthread_cond_wait(ptr @wake, ptr @mutex)
  br label %test
done:
  %after = atomicrmw sub ptr @sleepers, i64 1 seq_cst
  %unlocked = call i32 @pthread_mutex_unlock(ptr @mutex)
  ret void
}

; Start the workers; as many as the system allows. @busy is held.
define internal fastcc void @start(i64 %helpers) {
entry:
  %thread = alloca ptr
  %attributes = alloca [128 x i8], align 16
  %all = alloca [128 x i8], align 16
  %mask = alloca [128 x i8], align 16
  %mutex.status = call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  %wake.status = call i32 @pthread_cond_init(ptr @wake, ptr null)
  %attributes.status = call i32 @pthread_attr_init(ptr %attributes)
  %size.status = call i32 @pthread_attr_setstacksize(ptr %attributes, i64 4194304)
  ; Signals are the business of the program's own threads.
  %filled = call i32 @sigfillset(ptr %all)
  %set.mask = load i32, ptr @gd.threads.set.mask
  %masked = call i32 @pthread_sigmask(i32 %set.mask, ptr %all, ptr %mask)
  br label %test
test:
  %i = phi i64 [ 0, %entry ], [ %next, %keep ]
  %complete = icmp sge i64 %i, %helpers
  br i1 %complete, label %end, label %create
create:
  %status = call i32 @pthread_create(ptr %thread, ptr %attributes, ptr @worker, ptr null)
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %end, label %keep
keep:
  %id = load ptr, ptr %thread
  %detached = call i32 @pthread_detach(ptr %id)
  %next = add i64 %i, 1
  br label %test
end:
  store i64 %i, ptr @workers
  %unmasked = call i32 @pthread_sigmask(i32 %set.mask, ptr %mask, ptr null)
  %destroyed = call i32 @pthread_attr_destroy(ptr %attributes)
  ret void
}

; Start anew in the child of a fork, which has no workers. A loop that the parent was sharing out
; ends there.
define void @gd.threads.reset() {
  store i64 0, ptr @workers
  store i64 0, ptr @sleepers
  store i64 0, ptr @unclaimed
  store i64 0, ptr @unfinished
  store atomic i32 0, ptr @busy release, align 4
  ret void
}
