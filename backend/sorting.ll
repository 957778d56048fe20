; Sorting of one line of memory. sorting.py fills in the words that begin with a dollar sign and puts
; the parts, which are separated by lines of dashes, together.
;
; What is sorted are unsigned integers, the *items*: keys whose bits were rearranged so that they
; order as the keys do, alone, or with the number of the element in the bits below. Elements with
; numbers are different, so that whatever sorts them is stable.
;
; Few items are sorted by insertion and merging, many by their digits, in time linear in their number
; (LSD radix sort; Knuth, The Art of Computer Programming 3, 5.2.5).

;------------------------------------------------------------------------------------------- items

declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

; int sort(void *items, intptr_t count, void *), of NumPy, or null; set by sorting.py.
@gd.numpy.sort = global ptr null

; Sort %n items at %a. There is room for as many at %b.
define internal void @sort(ptr noalias %a, ptr noalias %b, i64 %n) {
entry:
  %small = icmp ule i64 %n, 16
  br i1 %small, label %insert, label %choose
insert:
  call void @insertion(ptr %a, i64 %n)
  ret void
choose:
  %function = load ptr, ptr @gd.numpy.sort
  %missing = icmp eq ptr %function, null
  %long = icmp ugt i64 %n, $numpy_until
  %own = or i1 %missing, %long
  br i1 %own, label %choose.own, label %numpy
numpy:
  %status = call i32 %function(ptr %a, i64 %n, ptr null)
  ret void
choose.own:
  %few = icmp ult i64 %n, $digits_from
  br i1 %few, label %merging, label %digits
merging:
  call void @merge(ptr %a, ptr %b, i64 %n)
  ret void
digits:
  call void @radix(ptr %a, ptr %b, i64 %n)
  ret void
}

define internal void @insertion(ptr noalias %a, i64 %n) {
entry:
  %any = icmp ugt i64 %n, 1
  br i1 %any, label %next, label %done
next:                                    ; the items before %i are sorted
  %i = phi i64 [ 1, %entry ], [ %i.next, %put ]
  %place = getelementptr $item, ptr %a, i64 %i
  %x = load $item, ptr %place, align $align
  br label %look
look:
  %j = phi i64 [ %i, %next ], [ %left, %move ]
  %left = add i64 %j, -1
  %left.place = getelementptr $item, ptr %a, i64 %left
  %y = load $item, ptr %left.place, align $align
  %larger = icmp ugt $item %y, %x
  br i1 %larger, label %move, label %put
move:
  %hole = getelementptr $item, ptr %a, i64 %j
  store $item %y, ptr %hole, align $align
  %first = icmp eq i64 %left, 0
  br i1 %first, label %put, label %look
put:
  %end = phi i64 [ %j, %look ], [ 0, %move ]
  %end.place = getelementptr $item, ptr %a, i64 %end
  store $item %x, ptr %end.place, align $align
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %next, label %done
done:
  ret void
}

; Sort runs of 16 items by insertion, and merge neighbours until one is left.
define internal void @merge(ptr noalias %a, ptr noalias %b, i64 %n) {
entry:
  br label %run
run:
  %start = phi i64 [ 0, %entry ], [ %start.next, %run ]
  %run.place = getelementptr $item, ptr %a, i64 %start
  %rest = sub i64 %n, %start
  %count = call i64 @llvm.umin.i64(i64 %rest, i64 16)
  call void @insertion(ptr %run.place, i64 %count)
  %start.next = add i64 %start, 16
  %more.runs = icmp ult i64 %start.next, %n
  br i1 %more.runs, label %run, label %level
level:
  %length = phi i64 [ 16, %run ], [ %double, %level.end ]
  %from = phi ptr [ %a, %run ], [ %to, %level.end ]
  %to = phi ptr [ %b, %run ], [ %from, %level.end ]
  %double = shl i64 %length, 1
  br label %pair
pair:
  %at = phi i64 [ 0, %level ], [ %at.next, %pair ]
  %left = getelementptr $item, ptr %from, i64 %at
  %target = getelementptr $item, ptr %to, i64 %at
  %remaining = sub i64 %n, %at
  %first = call i64 @llvm.umin.i64(i64 %remaining, i64 %length)
  %both = call i64 @llvm.umin.i64(i64 %remaining, i64 %double)
  %second = sub i64 %both, %first
  call void @merge.pair(ptr %left, i64 %first, i64 %second, ptr %target)
  %at.next = add i64 %at, %double
  %more.pairs = icmp ult i64 %at.next, %n
  br i1 %more.pairs, label %pair, label %level.end
level.end:
  %unmerged = icmp ult i64 %double, %n
  br i1 %unmerged, label %level, label %end
end:
  %in.place = icmp eq ptr %to, %a
  br i1 %in.place, label %done, label %copy
copy:
  %bytes = mul i64 %n, $bytes
  call void @llvm.memcpy.p0.p0.i64(ptr align $align %a, ptr align $align %b, i64 %bytes, i1 false)
  ret void
done:
  ret void
}

declare i64 @llvm.umin.i64(i64, i64)

; Merge two neighbouring sorted runs. Runs of one length are merged from both ends to the middle,
; where none can run out, so that there is nothing to predict.
define internal void @merge.pair(ptr noalias %left, i64 %first, i64 %second, ptr noalias %to) {
entry:
  %right = getelementptr $item, ptr %left, i64 %first
  %equal = icmp eq i64 %first, %second
  br i1 %equal, label %even, label %uneven
even:
  %both = add i64 %first, %second
  %left.last = getelementptr $item, ptr %right, i64 -1
  %right.last = getelementptr $item, ptr %left.last, i64 %second
  %to.last.item = add i64 %both, -1
  %to.last = getelementptr $item, ptr %to, i64 %to.last.item
  br label %step
step:
  %k = phi i64 [ 0, %even ], [ %k.next, %step ]
  %p = phi ptr [ %left, %even ], [ %p.next, %step ]
  %q = phi ptr [ %right, %even ], [ %q.next, %step ]
  %r = phi ptr [ %left.last, %even ], [ %r.next, %step ]
  %s = phi ptr [ %right.last, %even ], [ %s.next, %step ]
  %x = load $item, ptr %p, align $align
  %y = load $item, ptr %q, align $align
  %take.right = icmp ult $item %y, %x
  %low = select i1 %take.right, $item %y, $item %x
  %low.place = getelementptr $item, ptr %to, i64 %k
  store $item %low, ptr %low.place, align $align
  %q.step = zext i1 %take.right to i64
  %p.step = xor i64 %q.step, 1
  %p.next = getelementptr $item, ptr %p, i64 %p.step
  %q.next = getelementptr $item, ptr %q, i64 %q.step
  %u = load $item, ptr %r, align $align
  %v = load $item, ptr %s, align $align
  %take.left = icmp ult $item %v, %u
  %high = select i1 %take.left, $item %u, $item %v
  %back = sub i64 0, %k
  %high.place = getelementptr $item, ptr %to.last, i64 %back
  store $item %high, ptr %high.place, align $align
  %r.step = sext i1 %take.left to i64
  %s.step = xor i64 %r.step, -1
  %r.next = getelementptr $item, ptr %r, i64 %r.step
  %s.next = getelementptr $item, ptr %s, i64 %s.step
  %k.next = add nuw i64 %k, 1
  %more = icmp ult i64 %k.next, %first
  br i1 %more, label %step, label %done
uneven:
  %none = icmp eq i64 %second, 0
  br i1 %none, label %rest.left, label %choose
choose:
  %i = phi i64 [ 0, %uneven ], [ %i.next, %advance ]
  %j = phi i64 [ 0, %uneven ], [ %j.next, %advance ]
  %i.place = getelementptr $item, ptr %left, i64 %i
  %j.place = getelementptr $item, ptr %right, i64 %j
  %a = load $item, ptr %i.place, align $align
  %b = load $item, ptr %j.place, align $align
  %from.right = icmp ult $item %b, %a
  %c = select i1 %from.right, $item %b, $item %a
  %m = add i64 %i, %j
  %m.place = getelementptr $item, ptr %to, i64 %m
  store $item %c, ptr %m.place, align $align
  %j.step = zext i1 %from.right to i64
  %i.step = xor i64 %j.step, 1
  br label %advance
advance:
  %i.next = add i64 %i, %i.step
  %j.next = add i64 %j, %j.step
  %i.left = icmp ult i64 %i.next, %first
  %j.left = icmp ult i64 %j.next, %second
  %both.left = and i1 %i.left, %j.left
  br i1 %both.left, label %choose, label %one.left
one.left:
  br i1 %i.left, label %rest.left, label %rest.right
rest.left:
  %i.rest = phi i64 [ 0, %uneven ], [ %i.next, %one.left ]
  %j.done = phi i64 [ 0, %uneven ], [ %second, %one.left ]
  %left.rest = getelementptr $item, ptr %left, i64 %i.rest
  %left.count = sub i64 %first, %i.rest
  %left.at = add i64 %i.rest, %j.done
  %left.to = getelementptr $item, ptr %to, i64 %left.at
  %left.bytes = mul i64 %left.count, $bytes
  call void @llvm.memcpy.p0.p0.i64(ptr align $align %left.to, ptr align $align %left.rest, i64 %left.bytes, i1 false)
  ret void
rest.right:
  %right.rest = getelementptr $item, ptr %right, i64 %j.next
  %right.count = sub i64 %second, %j.next
  %right.at = add i64 %first, %j.next
  %right.to = getelementptr $item, ptr %to, i64 %right.at
  %right.bytes = mul i64 %right.count, $bytes
  call void @llvm.memcpy.p0.p0.i64(ptr align $align %right.to, ptr align $align %right.rest, i64 %right.bytes, i1 false)
  ret void
done:
  ret void
}

; Sort by digits of eight bits, the least significant first. All are counted beforehand; a digit that
; all items share moves none. The $low bits below the first digit are in order already.
define internal void @radix(ptr noalias %a, ptr noalias %b, i64 %n) {
entry:
  %counts = alloca [$passes x [256 x i32]], align 64
  call void @llvm.memset.p0.i64(ptr align 64 %counts, i8 0, i64 $count_bytes, i1 false)
  %n.32 = trunc i64 %n to i32
  br label %count
count:
  %i = phi i64 [ 0, %entry ], [ %i.next, %count ]
  %place = getelementptr $item, ptr %a, i64 %i
  %x = load $item, ptr %place, align $align
$count_digits
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %count, label %pass
pass:
  %number = phi i64 [ 0, %count ], [ %number.next, %pass.end ]
  %from = phi ptr [ %a, %count ], [ %from.next, %pass.end ]
  %to = phi ptr [ %b, %count ], [ %to.next, %pass.end ]
  %shift.low = shl i64 %number, 3
  %shift.64 = add i64 %shift.low, $low
  %shift = $shift_cast
  %row = getelementptr [256 x i32], ptr %counts, i64 %number
  %one = load $item, ptr %from, align $align
  %one.shifted = lshr $item %one, %shift
  %one.byte = $to_byte $item %one.shifted to i8
  %one.digit = zext i8 %one.byte to i64
  %one.place = getelementptr i32, ptr %row, i64 %one.digit
  %one.count = load i32, ptr %one.place, align 4
  %same = icmp eq i32 %one.count, %n.32
  br i1 %same, label %pass.end, label %sum
sum:
  %digit = phi i64 [ 0, %pass ], [ %digit.next, %sum ]
  %before = phi i32 [ 0, %pass ], [ %before.next, %sum ]
  %digit.place = getelementptr i32, ptr %row, i64 %digit
  %digit.count = load i32, ptr %digit.place, align 4
  store i32 %before, ptr %digit.place, align 4
  %before.next = add i32 %before, %digit.count
  %digit.next = add i64 %digit, 1
  %more.digits = icmp ult i64 %digit.next, 256
  br i1 %more.digits, label %sum, label %deal
deal:
  %j = phi i64 [ 0, %sum ], [ %j.next, %deal ]
  %j.place = getelementptr $item, ptr %from, i64 %j
  %y = load $item, ptr %j.place, align $align
  %y.shifted = lshr $item %y, %shift
  %y.byte = $to_byte $item %y.shifted to i8
  %y.digit = zext i8 %y.byte to i64
  %bucket = getelementptr i32, ptr %row, i64 %y.digit
  %position.32 = load i32, ptr %bucket, align 4
  %position.next = add i32 %position.32, 1
  store i32 %position.next, ptr %bucket, align 4
  %position = zext i32 %position.32 to i64
  %target = getelementptr $item, ptr %to, i64 %position
  store $item %y, ptr %target, align $align
  %j.next = add nuw i64 %j, 1
  %more.items = icmp ult i64 %j.next, %n
  br i1 %more.items, label %deal, label %pass.end
pass.end:
  %from.next = phi ptr [ %from, %pass ], [ %to, %deal ]
  %to.next = phi ptr [ %to, %pass ], [ %from, %deal ]
  %number.next = add i64 %number, 1
  %more.passes = icmp ult i64 %number.next, $passes
  br i1 %more.passes, label %pass, label %end
end:
  %in.place = icmp eq ptr %from.next, %a
  br i1 %in.place, label %done, label %copy
copy:
  %bytes = mul i64 %n, $bytes
  call void @llvm.memcpy.p0.p0.i64(ptr align $align %a, ptr align $align %b, i64 %bytes, i1 false)
  ret void
done:
  ret void
}

;-------------------------------------------------------------------------------------------- sort

; Sort the %n elements of a line at %in into %out. There is room for as many at %scratch. Of zeros
; the negative ones come first.
define void @gd.sort.$name(ptr noalias %out, ptr noalias %in, ptr noalias %scratch, i64 %n) {
entry:
  %any = icmp ne i64 %n, 0
  br i1 %any, label %read, label %done
read:
  %i = phi i64 [ 0, %entry ], [ %i.next, %read ]
  %in.place = getelementptr $key, ptr %in, i64 %i
  %out.place = getelementptr $key, ptr %out, i64 %i
  %element = load $key, ptr %in.place, align $align
  %item = call $key @item($key %element)
  store $key %item, ptr %out.place, align $align
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %read, label %sorting
sorting:
  call void @sort(ptr %out, ptr %scratch, i64 %n)
  br label %write
write:
  %j = phi i64 [ 0, %sorting ], [ %j.next, %write ]
  %place = getelementptr $key, ptr %out, i64 %j
  %sorted = load $key, ptr %place, align $align
  %back = call $key @element($key %sorted)
  store $key %back, ptr %place, align $align
  %j.next = add nuw i64 %j, 1
  %more.items = icmp ult i64 %j.next, %n
  br i1 %more.items, label %write, label %done
done:
  ret void
}

;------------------------------------------------------------------------------------------- order

; Put the numbers of the %n elements of a line at %in, in the order that sorts them, to %order, of
; i64. There is room for twice as many items at %scratch.
define void @gd.order.$name(ptr noalias %order, ptr noalias %in, ptr noalias %scratch, i64 %n) {
entry:
  %any = icmp ne i64 %n, 0
  br i1 %any, label %read, label %done
read:
  %i = phi i64 [ 0, %entry ], [ %i.next, %read ]
  %place = getelementptr $key, ptr %in, i64 %i
  %element = load $key, ptr %place, align $key_align
  call void @pack(ptr %scratch, i64 %i, $key %element)
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %read, label %sorting
sorting:
  %room = getelementptr $item, ptr %scratch, i64 %n
  call void @sort(ptr %scratch, ptr %room, i64 %n)
  br label %write
write:
  %j = phi i64 [ 0, %sorting ], [ %j.next, %write ]
  %number = call i64 @number(ptr %scratch, i64 %j)
  %target = getelementptr i64, ptr %order, i64 %j
  store i64 %number, ptr %target, align 8
  %j.next = add nuw i64 %j, 1
  %more.items = icmp ult i64 %j.next, %n
  br i1 %more.items, label %write, label %done
done:
  ret void
}

;----------------------------------------------------------------------------------------- reorder

; Make an order, which elements that are equal keep, one that sorts the %n elements of a line at %in.
; There is room for twice as many items at %scratch.
define void @gd.reorder.$name(ptr noalias %order, ptr noalias %in, ptr noalias %scratch, i64 %n) {
entry:
  %any = icmp ne i64 %n, 0
  br i1 %any, label %read, label %done
read:
  %i = phi i64 [ 0, %entry ], [ %i.next, %read ]
  %old.place = getelementptr i64, ptr %order, i64 %i
  %old = load i64, ptr %old.place, align 8
  %place = getelementptr $key, ptr %in, i64 %old
  %element = load $key, ptr %place, align $key_align
  call void @pack(ptr %scratch, i64 %i, $key %element)
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %read, label %sorting
sorting:
  %room = getelementptr $item, ptr %scratch, i64 %n
  call void @sort(ptr %scratch, ptr %room, i64 %n)
  br label %write
write:
  %j = phi i64 [ 0, %sorting ], [ %j.next, %write ]
  %number = call i64 @number(ptr %scratch, i64 %j)
  %from = getelementptr i64, ptr %order, i64 %number
  %new = load i64, ptr %from, align 8
  %target = getelementptr i64, ptr %room, i64 %j
  store i64 %new, ptr %target, align 8
  %j.next = add nuw i64 %j, 1
  %more.items = icmp ult i64 %j.next, %n
  br i1 %more.items, label %write, label %copy
copy:
  %bytes = mul i64 %n, 8
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %order, ptr align 8 %room, i64 %bytes, i1 false)
  br label %done
done:
  ret void
}

;----------------------------------------------------------------------------------------- numbers

; Make the item of an element and its number, the %i-th of %items.
define internal void @pack(ptr %items, i64 %i, $key %element) alwaysinline {
entry:
  %one.zero = call $key @canonical($key %element)
  %bits = call $key @item($key %one.zero)
  %wide = zext $key %bits to $item
  %above = shl $item %wide, $low
  %number = $number_cast
  %item = or $item %above, %number
  %place = getelementptr $item, ptr %items, i64 %i
  store $item %item, ptr %place, align 8
  ret void
}

; Return the number of the element that the %i-th of %items was made of.
define internal i64 @number(ptr %items, i64 %i) alwaysinline {
entry:
  %place = getelementptr $item, ptr %items, i64 %i
  %item = load $item, ptr %place, align 8
  %number = trunc $item %item to i$low
  %index = $index_cast
  ret i64 %index
}

;-------------------------------------------------------------------------------------------- take

; Put the %n elements of a line at %in, in an order, to %out.
define void @gd.take.$name(ptr noalias %out, ptr noalias %in, ptr noalias %order, i64 %n) {
entry:
  %any = icmp ne i64 %n, 0
  br i1 %any, label %next, label %done
next:
  %i = phi i64 [ 0, %entry ], [ %i.next, %next ]
  %order.place = getelementptr i64, ptr %order, i64 %i
  %number = load i64, ptr %order.place, align 8
  %from = getelementptr $key, ptr %in, i64 %number
  %element = load $key, ptr %from, align $key_align
  %to = getelementptr $key, ptr %out, i64 %i
  store $key %element, ptr %to, align $key_align
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %next, label %done
done:
  ret void
}

;---------------------------------------------------------------------------------------- unsigned

define internal $key @item($key %element) alwaysinline {
  ret $key %element
}

define internal $key @element($key %item) alwaysinline {
  ret $key %item
}

define internal $key @canonical($key %element) alwaysinline {
  ret $key %element
}

;------------------------------------------------------------------------------------------ signed

; Negative numbers are below the others if the sign is inverted.
define internal $key @item($key %element) alwaysinline {
  %item = xor $key %element, $sign
  ret $key %item
}

define internal $key @element($key %item) alwaysinline {
  %element = xor $key %item, $sign
  ret $key %element
}

define internal $key @canonical($key %element) alwaysinline {
  ret $key %element
}

;------------------------------------------------------------------------------------------- float

; The bits of floats order as sign and magnitude: those of a negative one are inverted, and of any
; other the sign. All NaN are one, above infinity.
define internal $key @item($key %element) alwaysinline {
  %float = bitcast $key %element to $float
  %is.nan = fcmp uno $float %float, 0.0
  %known = select i1 %is.nan, $key $nan, $key %element
  %negative = ashr $key %known, $sign_bit
  %inverted = or $key %negative, $sign
  %item = xor $key %known, %inverted
  ret $key %item
}

define internal $key @element($key %item) alwaysinline {
  %positive = ashr $key %item, $sign_bit
  %negative = xor $key %positive, -1
  %inverted = or $key %negative, $sign
  %element = xor $key %item, %inverted
  ret $key %element
}

; Zeros of both signs are one.
define internal $key @canonical($key %element) alwaysinline {
  %is.zero = icmp eq $key %element, $sign
  %canonical = select i1 %is.zero, $key 0, $key %element
  ret $key %canonical
}
