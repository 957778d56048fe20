; Threads that share the chunks of a parallel loop.
;
; A loop of kernel code is split into chunks. Each thread has a queue of its own with an equal share
; of them: the caller, which works like all others, and the workers, which wait for loops. Whoever
; has no chunks left takes those of another queue. So loops that follow one another find what
; they share in the caches of the cores that need it: the same chunk runs in the same thread, mostly.
; R. D. Blumofe and C. E. Leiserson, Scheduling multithreaded computations by work stealing, 1999.
;
; The caller never waits for a worker to begin, only for chunks that were claimed to end. So a
; machine with no core to spare costs little more than running the loop by one thread.
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
@unfinished = internal global i64 0, align 128

; The chunks to claim, of each thread: the number of the first one in the lower half, that of the end
; in the upper half. More threads than queues share them.
%queue = type { i64, [120 x i8] }
@queues = internal global [128 x %queue] zeroinitializer, align 128

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
  %many = icmp sgt i64 %chunks, 2147483647                    ; too many for half a queue
  %serial.size = or i1 %few, %many
  %serial.wanted = or i1 %alone, %serial.size
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
  store atomic i64 %chunks, ptr @unfinished monotonic, align 8
  call fastcc void @share_out(i64 %chunks)
  ; Sequentially consistent, as are the steps of @sleep: either the worker sees the chunks before it
  ; sleeps, or it is seen here.
  fence seq_cst
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
  %ran = call fastcc i64 @run(i64 0, i64 %chunks)
  br label %wait
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
  %ran = call fastcc i64 @run(i64 0, i64 1)
  %end = call fastcc i64 @now()
  %took = sub i64 %end, %begin
  %all = mul i64 %took, %chunks
  %long = icmp sgt i64 %all, 200000
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

; How many queues there are: one for each thread, the first one for the caller.
define internal fastcc i64 @queue_count() {
  %workers = load atomic i64, ptr @workers monotonic, align 8
  %threads = add i64 %workers, 1
  %few = icmp slt i64 %threads, 128
  %count = select i1 %few, i64 %threads, i64 128
  ret i64 %count
}

; Fill the queues with equal shares, that of the caller last, since it looks for chunks only then.
define internal fastcc void @share_out(i64 %chunks) {
entry:
  %count = call fastcc i64 @queue_count()
  br label %fill
fill:
  %above = phi i64 [ %count, %entry ], [ %i, %fill ]
  %end = phi i64 [ %chunks, %entry ], [ %first, %fill ]
  %i = add i64 %above, -1
  %product = mul i64 %i, %chunks
  %first = udiv i64 %product, %count
  %upper = shl i64 %end, 32
  %both = or i64 %upper, %first
  %queue = getelementptr %queue, ptr @queues, i64 %i
  store atomic i64 %both, ptr %queue release, align 8
  %more = icmp sgt i64 %i, 0
  br i1 %more, label %fill, label %done
done:
  ret void
}

; Claim the first chunk of a queue and return its number; -1 if there is none. Also others than its
; own thread take the first one, so that one thread alone takes all of them in order, as memory likes.
define internal fastcc i64 @claim(ptr %queue) {
entry:
  %before = load atomic i64, ptr %queue monotonic, align 8
  br label %try
try:
  %both = phi i64 [ %before, %entry ], [ %found, %claim ]
  %first = and i64 %both, 4294967295
  %end = lshr i64 %both, 32
  %any = icmp ult i64 %first, %end
  br i1 %any, label %claim, label %none
claim:
  %fewer = add i64 %both, 1
  %old = cmpxchg ptr %queue, i64 %both, i64 %fewer acquire monotonic
  %found = extractvalue { i64, i1 } %old, 0
  %mine = extractvalue { i64, i1 } %old, 1
  br i1 %mine, label %done, label %try
done:
  ret i64 %first
none:
  ret i64 -1
}

; Run the chunks of a thread's own queue, and then those of others, so many at most. Return how many
; they were.
define internal fastcc i64 @run(i64 %own, i64 %most) {
entry:
  %count = call fastcc i64 @queue_count()
  br label %look
look:
  %k = phi i64 [ 0, %entry ], [ %k.next, %empty ]
  %ran.before = phi i64 [ 0, %entry ], [ %ran, %empty ]
  %place = add i64 %own, %k
  %number = urem i64 %place, %count
  %queue = getelementptr %queue, ptr @queues, i64 %number
  br label %next
next:
  %ran = phi i64 [ %ran.before, %look ], [ %ran.now, %one ]
  %chunk = call fastcc i64 @claim(ptr %queue)
  %none = icmp slt i64 %chunk, 0
  br i1 %none, label %empty, label %one
one:
  ; The loop does not end before this chunk does, so these are its own.
  %function = load ptr, ptr @function
  %context = load ptr, ptr @context
  call void %function(ptr %context, i64 %chunk)
  %ran.now = add i64 %ran, 1
  %enough = icmp sge i64 %ran.now, %most
  br i1 %enough, label %done, label %next
empty:
  %k.next = add i64 %k, 1
  %more = icmp slt i64 %k.next, %count
  br i1 %more, label %look, label %done
done:
  %total = phi i64 [ %ran.now, %one ], [ %ran, %empty ]
  %any = icmp ne i64 %total, 0
  br i1 %any, label %finish, label %return
finish:
  %left = atomicrmw sub ptr @unfinished, i64 %total release
  br label %return
return:
  ret i64 %total
}

; A worker: run chunks; look for more for some 20 microseconds; sleep. It does not yield the processor
; in between, since the system would let it wait longer then than after a sleep.
define internal ptr @worker(ptr %argument) {
entry:
  %own = ptrtoint ptr %argument to i64
  br label %look
look:
  %tries = phi i64 [ 0, %entry ], [ 0, %sleep ], [ 0, %look ], [ %more, %idle ]
  %ran = call fastcc i64 @run(i64 %own, i64 9223372036854775807)
  %did = icmp ne i64 %ran, 0
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
  %any = call fastcc i1 @has_chunks()
  br i1 %any, label %done, label %wait
wait:
  %waited = call i32 @pthread_cond_wait(ptr @wake, ptr @mutex)
  br label %test
done:
  %after = atomicrmw sub ptr @sleepers, i64 1 seq_cst
  %unlocked = call i32 @pthread_mutex_unlock(ptr @mutex)
  ret void
}

; Whether there is a chunk in any queue.
define internal fastcc i1 @has_chunks() {
entry:
  %count = call fastcc i64 @queue_count()
  br label %test
test:
  %i = phi i64 [ 0, %entry ], [ %next, %empty ]
  %queue = getelementptr %queue, ptr @queues, i64 %i
  %both = load atomic i64, ptr %queue seq_cst, align 8
  %first = and i64 %both, 4294967295
  %end = lshr i64 %both, 32
  %any = icmp ult i64 %first, %end
  br i1 %any, label %done, label %empty
empty:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %test, label %done
done:
  ret i1 %any
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
  %number = add i64 %i, 1
  %argument = inttoptr i64 %number to ptr
  %status = call i32 @pthread_create(ptr %thread, ptr %attributes, ptr @worker, ptr %argument)
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %end, label %keep
keep:
  %id = load ptr, ptr %thread
  %detached = call i32 @pthread_detach(ptr %id)
  %next = add i64 %i, 1
  br label %test
end:
  store atomic i64 %i, ptr @workers monotonic, align 8
  %unmasked = call i32 @pthread_sigmask(i32 %set.mask, ptr %mask, ptr null)
  %destroyed = call i32 @pthread_attr_destroy(ptr %attributes)
  ret void
}

; Start anew in the child of a fork, which has no workers. A loop that the parent was sharing out
; ends there.
define void @gd.threads.reset() {
  store i64 0, ptr @workers
  store i64 0, ptr @sleepers
  store [128 x %queue] zeroinitializer, ptr @queues
  store i64 0, ptr @unfinished
  store atomic i32 0, ptr @busy release, align 4
  ret void
}
