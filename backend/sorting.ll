; Sorting of one line of memory. sorting.py fills in the words that begin with a dollar sign and puts
; the parts, which are separated by lines of dashes, together.
;
; What is sorted are unsigned integers, the *items*: elements whose bits were rearranged so that they
; order as the elements do, alone, or with the number of the element in the bits below. With numbers
; all items are different, so that whatever sorts them is stable.
;
; Few items are sorted by insertion and merging, many by their digits, in time linear in their number
; (LSD radix sort; Knuth, The Art of Computer Programming 3, 5.2.5).

;--------------------------------------------------------------------------------------------- items

declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

; int sort(void *items, intptr_t count, void *), of NumPy, or null; set by sorting.py.
@gd.numpy.sort = global ptr null

; Sort %n items at %a. There is room for as many at %b. Below their digit number %first they are in
; order already, as far as those above are equal.
define internal void @sort(ptr noalias %a, ptr noalias %b, i64 %n, i64 %first) {
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
  call void @radix(ptr %a, ptr %b, i64 %n, i64 %first)
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

; Sort by digits of eight bits from number %first on, the least significant first. All are counted
; beforehand; a digit that all items share moves none. There are $low bits below digit 0.
define internal void @radix(ptr noalias %a, ptr noalias %b, i64 %n, i64 %first) {
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
  %number = phi i64 [ %first, %count ], [ %number.next, %pass.end ]
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

;---------------------------------------------------------------------------------------------- sort

; Sort the %n elements of a line at %in into %out. There is room for as many at %scratch. Of zeros
; the negative ones come first.
define void @gd.sort.$name(ptr noalias %out, ptr noalias %in, ptr noalias %scratch, i64 %n) {
entry:
  %whole = and i64 %n, -$lanes
  %any = icmp ne i64 %whole, 0
  br i1 %any, label %read.lanes, label %read.rest
read.lanes:
  %i = phi i64 [ 0, %entry ], [ %i.next, %read.lanes ]
  %in.lanes = getelementptr $key, ptr %in, i64 %i
  %elements = load $key_lanes, ptr %in.lanes, align $key_align
  %items = call $key_lanes @item.lanes($key_lanes %elements)
  %out.lanes = getelementptr $key, ptr %out, i64 %i
  store $key_lanes %items, ptr %out.lanes, align $key_align
  %i.next = add nuw i64 %i, $lanes
  %more = icmp ult i64 %i.next, %whole
  br i1 %more, label %read.lanes, label %read.rest
read.rest:
  %rest = icmp ult i64 %whole, %n
  br i1 %rest, label %read, label %sorting
read:
  %j = phi i64 [ %whole, %read.rest ], [ %j.next, %read ]
  %in.place = getelementptr $key, ptr %in, i64 %j
  %element = load $key, ptr %in.place, align $key_align
  %item = call $key @item($key %element)
  %out.place = getelementptr $key, ptr %out, i64 %j
  store $key %item, ptr %out.place, align $key_align
  %j.next = add nuw i64 %j, 1
  %more.rest = icmp ult i64 %j.next, %n
  br i1 %more.rest, label %read, label %sorting
sorting:
  call void @sort(ptr %out, ptr %scratch, i64 %n, i64 0)
  br i1 %any, label %write.lanes, label %write.rest
write.lanes:
  %k = phi i64 [ 0, %sorting ], [ %k.next, %write.lanes ]
  %lanes.place = getelementptr $key, ptr %out, i64 %k
  %sorted.lanes = load $key_lanes, ptr %lanes.place, align $key_align
  %back.lanes = call $key_lanes @element.lanes($key_lanes %sorted.lanes)
  store $key_lanes %back.lanes, ptr %lanes.place, align $key_align
  %k.next = add nuw i64 %k, $lanes
  %more.lanes = icmp ult i64 %k.next, %whole
  br i1 %more.lanes, label %write.lanes, label %write.rest
write.rest:
  br i1 %rest, label %write, label %done
write:
  %l = phi i64 [ %whole, %write.rest ], [ %l.next, %write ]
  %place = getelementptr $key, ptr %out, i64 %l
  %sorted = load $key, ptr %place, align $key_align
  %back = call $key @element($key %sorted)
  store $key %back, ptr %place, align $key_align
  %l.next = add nuw i64 %l, 1
  %more.items = icmp ult i64 %l.next, %n
  br i1 %more.items, label %write, label %done
done:
  ret void
}

;--------------------------------------------------------------------------------------------- order

; Put the numbers of the %n elements of a line at %in, in the order that sorts them, to %order, of
; i64. There is room for twice as many i64 at %scratch.
define void @gd.order.$name(ptr noalias %order, ptr noalias %in, ptr noalias %scratch, i64 %n) {
entry:
  call void @arrange(ptr %order, ptr %in, ptr %scratch, i64 %n, i1 false)
  ret void
}

;------------------------------------------------------------------------------------------- reorder

; Make an order, which elements that are equal keep, one that sorts the %n elements of a line at %in.
; There is room for twice as many i64 at %scratch.
define void @gd.reorder.$name(ptr noalias %order, ptr noalias %in, ptr noalias %scratch, i64 %n) {
entry:
  call void @arrange(ptr %order, ptr %in, ptr %scratch, i64 %n, i1 true)
  ret void
}

;------------------------------------------------------------------------------------------- arrange

; Order elements by 32 bits of what they are as items, from bit %shift on: those at %in, or if
; %ordered those in the order that is there.
define internal void @arrange.half(ptr noalias %order, ptr noalias %in, ptr noalias %scratch, i64 %n, i64 %shift, i1 %ordered) {
entry:
  %room = getelementptr i64, ptr %scratch, i64 %n
  %any = icmp ne i64 %n, 0
  br i1 %any, label %read, label %done
read:
  %i = phi i64 [ 0, %entry ], [ %i.next, %read ]
  %old.place = getelementptr i64, ptr %order, i64 %i
  %old = call i64 @position(ptr %old.place, i64 %i, i1 %ordered)
  %place = getelementptr $key, ptr %in, i64 %old
  %element = load $key, ptr %place, align $key_align
  %one.zero = call $key @canonical($key %element)
  %whole = call $key @item($key %one.zero)
  %wide = $widen $key %whole to i64
  %shifted = lshr i64 %wide, %shift
  %above = shl i64 %shifted, 32
  %item = or i64 %above, %i
  %item.place = getelementptr i64, ptr %scratch, i64 %i
  store i64 %item, ptr %item.place, align 8
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %read, label %sorting
sorting:
  call void @sort(ptr %scratch, ptr %room, i64 %n, i64 $half_digit)
  call void @number(ptr %order, ptr %scratch, i64 %n, i64 4294967295, i1 %ordered)
  ret void
done:
  ret void
}

; Return the position of an element: its number, or what is at %place in an order.
define internal i64 @position(ptr %place, i64 %number, i1 %ordered) alwaysinline {
entry:
  br i1 %ordered, label %load, label %done
load:
  %old = load i64, ptr %place, align 8
  br label %done
done:
  %position = phi i64 [ %number, %entry ], [ %old, %load ]
  ret i64 %position
}

; Put the numbers of sorted items, their bits in %mask, to %order, or what they are numbers of there.
; The items are overwritten.
define internal void @number(ptr noalias %order, ptr noalias %items, i64 %n, i64 %mask, i1 %ordered) {
entry:
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i.next, %next ]
  %place = getelementptr i64, ptr %items, i64 %i
  %item = load i64, ptr %place, align 8
  %number = and i64 %item, %mask
  %old.place = getelementptr i64, ptr %order, i64 %number
  %position = call i64 @position(ptr %old.place, i64 %number, i1 %ordered)
  store i64 %position, ptr %place, align 8
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %next, label %copy
copy:
  %bytes = mul i64 %n, 8
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %order, ptr align 8 %items, i64 %bytes, i1 false)
  ret void
}

;-------------------------------------------------------------------------------------------- narrow

define internal void @arrange(ptr noalias %order, ptr noalias %in, ptr noalias %scratch, i64 %n, i1 %ordered) {
entry:
  call void @arrange.half(ptr %order, ptr %in, ptr %scratch, i64 %n, i64 0, i1 %ordered)
  ret void
}

;---------------------------------------------------------------------------------------------- wide

; Order elements of 64 bits. What they are as items, less the least of it, is moved to the upper end of
; 64 bits, and their numbers take as many of the lower bits as they need. If that cuts bits off, what
; is then out of order is put in order by insertion; if that is much, the elements are ordered by
; their lower halves, then by the upper ones.
define internal void @arrange(ptr noalias %order, ptr noalias %in, ptr noalias %scratch, i64 %n, i1 %ordered) {
entry:
  %room = getelementptr i64, ptr %scratch, i64 %n
  %few = icmp ult i64 %n, 2
  br i1 %few, label %halves, label %read
read:
  %i = phi i64 [ 0, %entry ], [ %i.next, %read ]
  %low = phi i64 [ -1, %entry ], [ %low.next, %read ]
  %high = phi i64 [ 0, %entry ], [ %high.next, %read ]
  %key = call i64 @at(ptr %order, ptr %in, i64 %i, i1 %ordered)
  %place = getelementptr i64, ptr %room, i64 %i
  store i64 %key, ptr %place, align 8
  %low.next = call i64 @llvm.umin.i64(i64 %low, i64 %key)
  %high.next = call i64 @llvm.umax.i64(i64 %high, i64 %key)
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %read, label %measure
measure:
  %range = sub i64 %high.next, %low.next
  %some = or i64 %range, 1
  %free = call i64 @llvm.ctlz.i64(i64 %some, i1 true)
  %last = sub i64 %n, 1
  %last.zeros = call i64 @llvm.ctlz.i64(i64 %last, i1 true)
  %mask = lshr i64 -1, %last.zeros
  %number.bits = sub i64 64, %last.zeros
  %upper = xor i64 %mask, -1
  %digit = lshr i64 %number.bits, 3
  br label %pack
pack:
  %j = phi i64 [ 0, %measure ], [ %j.next, %pack ]
  %key.place = getelementptr i64, ptr %room, i64 %j
  %key.again = load i64, ptr %key.place, align 8
  %distance = sub i64 %key.again, %low.next
  %above = shl i64 %distance, %free
  %cut = and i64 %above, %upper
  %item = or i64 %cut, %j
  %item.place = getelementptr i64, ptr %scratch, i64 %j
  store i64 %item, ptr %item.place, align 8
  %j.next = add nuw i64 %j, 1
  %more.keys = icmp ult i64 %j.next, %n
  br i1 %more.keys, label %pack, label %sorting
sorting:
  call void @sort(ptr %scratch, ptr %room, i64 %n, i64 %digit)
  %exact = icmp uge i64 %free, %number.bits
  br i1 %exact, label %number, label %compare
compare:                                  ; each item with the one before it
  %k = phi i64 [ 1, %sorting ], [ %k.next, %in.order ]
  %left = phi i64 [ %n, %sorting ], [ %left.now, %in.order ]
  %here = getelementptr i64, ptr %scratch, i64 %k
  %before = getelementptr i64, ptr %here, i64 -1
  %x = load i64, ptr %before, align 8
  %y = load i64, ptr %here, align 8
  %difference = xor i64 %x, %y
  %same = icmp ule i64 %difference, %mask
  br i1 %same, label %look, label %in.order
look:
  %y.number = and i64 %y, %mask
  %y.key = call i64 @at(ptr %order, ptr %in, i64 %y.number, i1 %ordered)
  br label %move
move:                                     ; the items before, which share the upper bits, up
  %m = phi i64 [ %k, %look ], [ %m.next, %up ]
  %left.move = phi i64 [ %left, %look ], [ %left.next, %up ]
  %hole = getelementptr i64, ptr %scratch, i64 %m
  %first = icmp eq i64 %m, 0
  br i1 %first, label %put, label %check
check:
  %z.place = getelementptr i64, ptr %hole, i64 -1
  %z = load i64, ptr %z.place, align 8
  %z.difference = xor i64 %z, %y
  %z.same = icmp ule i64 %z.difference, %mask
  br i1 %z.same, label %check.key, label %put
check.key:
  %z.number = and i64 %z, %mask
  %z.key = call i64 @at(ptr %order, ptr %in, i64 %z.number, i1 %ordered)
  %larger = icmp ugt i64 %z.key, %y.key
  br i1 %larger, label %up, label %put
up:
  store i64 %z, ptr %hole, align 8
  %m.next = sub i64 %m, 1
  %left.next = sub i64 %left.move, 1
  %give.up = icmp eq i64 %left.next, 0
  br i1 %give.up, label %halves, label %move
put:
  store i64 %y, ptr %hole, align 8
  br label %in.order
in.order:
  %left.now = phi i64 [ %left, %compare ], [ %left.move, %put ]
  %k.next = add nuw i64 %k, 1
  %more.items = icmp ult i64 %k.next, %n
  br i1 %more.items, label %compare, label %number
number:
  call void @number(ptr %order, ptr %scratch, i64 %n, i64 %mask, i1 %ordered)
  ret void
halves:
  call void @arrange.half(ptr %order, ptr %in, ptr %scratch, i64 %n, i64 0, i1 %ordered)
  call void @arrange.half(ptr %order, ptr %in, ptr %scratch, i64 %n, i64 32, i1 true)
  ret void
}

; Return what an element is as an item; it goes by its number, or by its number in an order.
define internal i64 @at(ptr %order, ptr %in, i64 %number, i1 %ordered) alwaysinline {
entry:
  %old.place = getelementptr i64, ptr %order, i64 %number
  %position = call i64 @position(ptr %old.place, i64 %number, i1 %ordered)
  %place = getelementptr i64, ptr %in, i64 %position
  %element = load i64, ptr %place, align 8
  %one.zero = call i64 @canonical(i64 %element)
  %item = call i64 @item(i64 %one.zero)
  ret i64 %item
}

declare i64 @llvm.umax.i64(i64, i64)
declare i64 @llvm.ctlz.i64(i64, i1)

;---------------------------------------------------------------------------------------------- take

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

;------------------------------------------------------------------------------------------ unsigned

define internal $type @item$suffix($type %element) alwaysinline {
  ret $type %element
}

define internal $type @element$suffix($type %item) alwaysinline {
  ret $type %item
}

define internal $type @canonical$suffix($type %element) alwaysinline {
  ret $type %element
}

;-------------------------------------------------------------------------------------------- signed

; Negative numbers are below the others if the sign is inverted.
define internal $type @item$suffix($type %element) alwaysinline {
  %item = xor $type %element, $sign
  ret $type %item
}

define internal $type @element$suffix($type %item) alwaysinline {
  %element = xor $type %item, $sign
  ret $type %element
}

define internal $type @canonical$suffix($type %element) alwaysinline {
  ret $type %element
}

;--------------------------------------------------------------------------------------------- float

; The bits of floats order as sign and magnitude: those of a negative one are inverted, and of any
; other the sign. All NaN are one, above infinity.
define internal $type @item$suffix($type %element) alwaysinline {
  %float = bitcast $type %element to $float
  %is.nan = fcmp uno $float %float, zeroinitializer
  %known = select $bool %is.nan, $type $nan, $type %element
  %negative = ashr $type %known, $sign_bit
  %inverted = or $type %negative, $sign
  %item = xor $type %known, %inverted
  ret $type %item
}

define internal $type @element$suffix($type %item) alwaysinline {
  %positive = ashr $type %item, $sign_bit
  %negative = xor $type %positive, $ones
  %inverted = or $type %negative, $sign
  %element = xor $type %item, %inverted
  ret $type %element
}

; Zeros of both signs are one.
define internal $type @canonical$suffix($type %element) alwaysinline {
  %is.zero = icmp eq $type %element, $sign
  %canonical = select $bool %is.zero, $type zeroinitializer, $type %element
  ret $type %canonical
}
