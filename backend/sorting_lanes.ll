; Sorting of many short lines, a lane of a vector for each. The lines are along the second dimension of
; an array [outer, %n, %inner], and go by their numbers, in the order of their first elements. sorting.py fills in
; the words that begin with a dollar sign and puts the parts together, as those of sorting.ll.
;
; The elements of $lanes lines are copied to rows of scratch memory, as items (see sorting.ll), and all
; lines are sorted at once by a network: merge exchange (Batcher's; Knuth, The Art of Computer
; Programming 3, 5.2.2, algorithm M), for any number of rows.

;----------------------------------------------------------------------------------------- network

; Sort the lanes of %n rows of $row_bytes bytes.
define internal void @network(ptr noalias %rows, i64 %n) {
entry:
  %several = icmp ugt i64 %n, 1
  br i1 %several, label %begin, label %done
begin:
  %last = sub i64 %n, 1
  %zeros = call i64 @llvm.ctlz.i64(i64 %last, i1 true)
  %top = lshr i64 -9223372036854775808, %zeros
  br label %phase
phase:
  %p = phi i64 [ %top, %begin ], [ %p.next, %phase.end ]
  br label %step
step:
  %q = phi i64 [ %top, %phase ], [ %q.next, %again ]
  %r = phi i64 [ 0, %phase ], [ %p, %again ]
  %d = phi i64 [ %p, %phase ], [ %d.next, %again ]
  %limit = sub i64 %n, %d
  br label %pair
pair:
  %i = phi i64 [ 0, %step ], [ %i.next, %pair.end ]
  %bit = and i64 %i, %p
  %wanted = icmp eq i64 %bit, %r
  br i1 %wanted, label %exchange, label %pair.end
exchange:
  %j = add i64 %i, %d
  %low = getelementptr [$row_bytes x i8], ptr %rows, i64 %i
  %high = getelementptr [$row_bytes x i8], ptr %rows, i64 %j
  call void @exchange(ptr %low, ptr %high)
  br label %pair.end
pair.end:
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %limit
  br i1 %more, label %pair, label %step.end
step.end:
  %complete = icmp eq i64 %q, %p
  br i1 %complete, label %phase.end, label %again
again:
  %d.next = sub i64 %q, %p
  %q.next = lshr i64 %q, 1
  br label %step
phase.end:
  %p.next = lshr i64 %p, 1
  %more.phases = icmp ne i64 %p.next, 0
  br i1 %more.phases, label %phase, label %done
done:
  ret void
}

; Return the place of the first element of a line, and whether those of $lanes lines follow.
define internal { i64, i1 } @start(i64 %line, i64 %end, i64 %n, i64 %inner) alwaysinline {
entry:
  %outer = udiv i64 %line, %inner
  %lines.before = mul i64 %outer, %inner
  %number = sub i64 %line, %lines.before
  %before = mul i64 %lines.before, %n
  %place = add i64 %before, %number
  %number.end = add i64 %number, $lanes
  %in.row = icmp ule i64 %number.end, %inner
  %line.end = add i64 %line, $lanes
  %whole = icmp ule i64 %line.end, %end
  %together = and i1 %in.row, %whole
  %first = insertvalue { i64, i1 } poison, i64 %place, 0
  %both = insertvalue { i64, i1 } %first, i1 %together, 1
  ret { i64, i1 } %both
}

declare i64 @llvm.ctlz.i64(i64, i1)
declare i64 @llvm.umin.i64(i64, i64)

;---------------------------------------------------------------------------------------- sort_lanes

; Sort the lines %start to %end, of $key, at %in into %out; %n is not 0. There is room for %n rows at
; %scratch. Of zeros the negative ones come first.
define void @gd.sort_lanes.$name(ptr noalias %out, ptr noalias %in, ptr noalias %scratch, i64 %n, i64 %inner, i64 %start, i64 %end) {
entry:
  %any = icmp ult i64 %start, %end
  br i1 %any, label %block, label %done
block:
  %line = phi i64 [ %start, %entry ], [ %line.next, %block.end ]
  %first = call { i64, i1 } @start(i64 %line, i64 %end, i64 %n, i64 %inner)
  %place = extractvalue { i64, i1 } %first, 0
  %together = extractvalue { i64, i1 } %first, 1
  br i1 %together, label %read.together, label %apart
read.together:
  %i = phi i64 [ 0, %block ], [ %i.next, %read.together ]
  %at = phi i64 [ %place, %block ], [ %at.next, %read.together ]
  %in.together = getelementptr $key, ptr %in, i64 %at
  %elements = load $key_lanes, ptr %in.together, align $key_align
  call void @put(ptr %scratch, i64 %i, $key_lanes %elements)
  %at.next = add i64 %at, %inner
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %read.together, label %sorting
apart:
  %left = sub i64 %end, %line
  %lanes = call i64 @llvm.umin.i64(i64 %left, i64 $lanes)
  br label %read.lane
read.lane:
  %lane = phi i64 [ 0, %apart ], [ %lane.next, %read.lane.end ]
  %lane.line = add i64 %line, %lane
  %lane.first = call { i64, i1 } @start(i64 %lane.line, i64 %end, i64 %n, i64 %inner)
  %lane.place = extractvalue { i64, i1 } %lane.first, 0
  %lane.in = getelementptr $key, ptr %in, i64 %lane.place
  %lane.rows = getelementptr $key, ptr %scratch, i64 %lane
  br label %read.apart
read.apart:
  %j = phi i64 [ 0, %read.lane ], [ %j.next, %read.apart ]
  %from = phi ptr [ %lane.in, %read.lane ], [ %from.next, %read.apart ]
  %element = load $key, ptr %from, align $key_align
  %lane.row = getelementptr [$row_bytes x i8], ptr %lane.rows, i64 %j
  store $key %element, ptr %lane.row, align $key_align
  %from.next = getelementptr $key, ptr %from, i64 %inner
  %j.next = add nuw i64 %j, 1
  %more.apart = icmp ult i64 %j.next, %n
  br i1 %more.apart, label %read.apart, label %read.lane.end
read.lane.end:
  %lane.next = add nuw i64 %lane, 1
  %more.in = icmp ult i64 %lane.next, %lanes
  br i1 %more.in, label %read.lane, label %convert
convert:
  %c = phi i64 [ 0, %read.lane.end ], [ %c.next, %convert ]
  %row = getelementptr [$row_bytes x i8], ptr %scratch, i64 %c
  %row.elements = load $key_lanes, ptr %row, align $key_align
  call void @put(ptr %scratch, i64 %c, $key_lanes %row.elements)
  %c.next = add nuw i64 %c, 1
  %more.convert = icmp ult i64 %c.next, %n
  br i1 %more.convert, label %convert, label %sorting
sorting:
  %count = phi i64 [ 0, %read.together ], [ %lanes, %convert ]
  call void @network(ptr %scratch, i64 %n)
  br i1 %together, label %write.together, label %convert.back
write.together:
  %k = phi i64 [ 0, %sorting ], [ %k.next, %write.together ]
  %to = phi i64 [ %place, %sorting ], [ %to.next, %write.together ]
  %sorted = call $result_lanes @get(ptr %scratch, i64 %k)
  %out.together = getelementptr $result, ptr %out, i64 %to
  store $result_lanes %sorted, ptr %out.together, align $result_align
  %to.next = add i64 %to, %inner
  %k.next = add nuw i64 %k, 1
  %more.rows = icmp ult i64 %k.next, %n
  br i1 %more.rows, label %write.together, label %block.end
convert.back:
  %b = phi i64 [ 0, %sorting ], [ %b.next, %convert.back ]
  call void @back(ptr %scratch, i64 %b)
  %b.next = add nuw i64 %b, 1
  %more.back = icmp ult i64 %b.next, %n
  br i1 %more.back, label %convert.back, label %write.lane
write.lane:
  %out.lane = phi i64 [ 0, %convert.back ], [ %out.lane.next, %write.lane.end ]
  %out.line = add i64 %line, %out.lane
  %out.first = call { i64, i1 } @start(i64 %out.line, i64 %end, i64 %n, i64 %inner)
  %out.place = extractvalue { i64, i1 } %out.first, 0
  %lane.out = getelementptr $result, ptr %out, i64 %out.place
  br label %write.apart
write.apart:
  %l = phi i64 [ 0, %write.lane ], [ %l.next, %write.apart ]
  %target = phi ptr [ %lane.out, %write.lane ], [ %target.next, %write.apart ]
  %one = call $result @get.one(ptr %scratch, i64 %l, i64 %out.lane)
  store $result %one, ptr %target, align $result_align
  %target.next = getelementptr $result, ptr %target, i64 %inner
  %l.next = add nuw i64 %l, 1
  %more.out = icmp ult i64 %l.next, %n
  br i1 %more.out, label %write.apart, label %write.lane.end
write.lane.end:
  %out.lane.next = add nuw i64 %out.lane, 1
  %more.lanes = icmp ult i64 %out.lane.next, %count
  br i1 %more.lanes, label %write.lane, label %block.end
block.end:
  %line.next = add i64 %line, $lanes
  %more.blocks = icmp ult i64 %line.next, %end
  br i1 %more.blocks, label %block, label %done
done:
  ret void
}

define internal void @put(ptr %rows, i64 %number, $key_lanes %elements) alwaysinline {
  %items = call $key_lanes @item.lanes($key_lanes %elements)
  %row = getelementptr [$row_bytes x i8], ptr %rows, i64 %number
  store $key_lanes %items, ptr %row, align $key_align
  ret void
}

; The elements of a row, its elements in the place of its items, and one of those then.
define internal $key_lanes @get(ptr %rows, i64 %number) alwaysinline {
  %row = getelementptr [$row_bytes x i8], ptr %rows, i64 %number
  %items = load $key_lanes, ptr %row, align $key_align
  %elements = call $key_lanes @element.lanes($key_lanes %items)
  ret $key_lanes %elements
}

define internal void @back(ptr %rows, i64 %number) alwaysinline {
  %elements = call $key_lanes @get(ptr %rows, i64 %number)
  %row = getelementptr [$row_bytes x i8], ptr %rows, i64 %number
  store $key_lanes %elements, ptr %row, align $key_align
  ret void
}

define internal $key @get.one(ptr %rows, i64 %number, i64 %lane) alwaysinline {
  %row = getelementptr [$row_bytes x i8], ptr %rows, i64 %number
  %place = getelementptr $key, ptr %row, i64 %lane
  %element = load $key, ptr %place, align $key_align
  ret $key %element
}

define internal void @exchange(ptr %low, ptr %high) alwaysinline {
  %x = load $key_lanes, ptr %low, align $key_align
  %y = load $key_lanes, ptr %high, align $key_align
  %smaller = call $key_lanes @llvm.umin.$key_code($key_lanes %x, $key_lanes %y)
  %larger = call $key_lanes @llvm.umax.$key_code($key_lanes %x, $key_lanes %y)
  store $key_lanes %smaller, ptr %low, align $key_align
  store $key_lanes %larger, ptr %high, align $key_align
  ret void
}

;--------------------------------------------------------------------------------------- order_lanes

; Put the numbers of the elements of the lines %start to %end, of $key, at %in, in the order that sorts
; each line, to %out, of i64; %n is neither 0 nor more than $most. There is room for %n rows at %scratch.
define void @gd.order_lanes.$name(ptr noalias %out, ptr noalias %in, ptr noalias %scratch, i64 %n, i64 %inner, i64 %start, i64 %end) {
entry:
  %any = icmp ult i64 %start, %end
  br i1 %any, label %block, label %done
block:
  %line = phi i64 [ %start, %entry ], [ %line.next, %block.end ]
  %first = call { i64, i1 } @start(i64 %line, i64 %end, i64 %n, i64 %inner)
  %place = extractvalue { i64, i1 } %first, 0
  %together = extractvalue { i64, i1 } %first, 1
  br i1 %together, label %read.together, label %apart
read.together:
  %i = phi i64 [ 0, %block ], [ %i.next, %read.together ]
  %at = phi i64 [ %place, %block ], [ %at.next, %read.together ]
  %in.together = getelementptr $key, ptr %in, i64 %at
  %elements = load $key_lanes, ptr %in.together, align $key_align
  call void @put(ptr %scratch, i64 %i, $key_lanes %elements)
  %at.next = add i64 %at, %inner
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %read.together, label %sorting
apart:
  %left = sub i64 %end, %line
  %lanes = call i64 @llvm.umin.i64(i64 %left, i64 $lanes)
  br label %read.lane
read.lane:
  %lane = phi i64 [ 0, %apart ], [ %lane.next, %read.lane.end ]
  %lane.line = add i64 %line, %lane
  %lane.first = call { i64, i1 } @start(i64 %lane.line, i64 %end, i64 %n, i64 %inner)
  %lane.place = extractvalue { i64, i1 } %lane.first, 0
  %lane.in = getelementptr $key, ptr %in, i64 %lane.place
  %lane.rows = getelementptr $key, ptr %scratch, i64 %lane
  br label %read.apart
read.apart:
  %j = phi i64 [ 0, %read.lane ], [ %j.next, %read.apart ]
  %from = phi ptr [ %lane.in, %read.lane ], [ %from.next, %read.apart ]
  %element = load $key, ptr %from, align $key_align
  %lane.row = getelementptr [$row_bytes x i8], ptr %lane.rows, i64 %j
  store $key %element, ptr %lane.row, align $key_align
  %from.next = getelementptr $key, ptr %from, i64 %inner
  %j.next = add nuw i64 %j, 1
  %more.apart = icmp ult i64 %j.next, %n
  br i1 %more.apart, label %read.apart, label %read.lane.end
read.lane.end:
  %lane.next = add nuw i64 %lane, 1
  %more.in = icmp ult i64 %lane.next, %lanes
  br i1 %more.in, label %read.lane, label %convert
convert:
  %c = phi i64 [ 0, %read.lane.end ], [ %c.next, %convert ]
  %row = getelementptr [$row_bytes x i8], ptr %scratch, i64 %c
  %row.elements = load $key_lanes, ptr %row, align $key_align
  call void @put(ptr %scratch, i64 %c, $key_lanes %row.elements)
  %c.next = add nuw i64 %c, 1
  %more.convert = icmp ult i64 %c.next, %n
  br i1 %more.convert, label %convert, label %sorting
sorting:
  %count = phi i64 [ 0, %read.together ], [ %lanes, %convert ]
  call void @network(ptr %scratch, i64 %n)
  br i1 %together, label %write.together, label %convert.back
write.together:
  %k = phi i64 [ 0, %sorting ], [ %k.next, %write.together ]
  %to = phi i64 [ %place, %sorting ], [ %to.next, %write.together ]
  %sorted = call $result_lanes @get(ptr %scratch, i64 %k)
  %out.together = getelementptr $result, ptr %out, i64 %to
  store $result_lanes %sorted, ptr %out.together, align $result_align
  %to.next = add i64 %to, %inner
  %k.next = add nuw i64 %k, 1
  %more.rows = icmp ult i64 %k.next, %n
  br i1 %more.rows, label %write.together, label %block.end
convert.back:
  %b = phi i64 [ 0, %sorting ], [ %b.next, %convert.back ]
  call void @back(ptr %scratch, i64 %b)
  %b.next = add nuw i64 %b, 1
  %more.back = icmp ult i64 %b.next, %n
  br i1 %more.back, label %convert.back, label %write.lane
write.lane:
  %out.lane = phi i64 [ 0, %convert.back ], [ %out.lane.next, %write.lane.end ]
  %out.line = add i64 %line, %out.lane
  %out.first = call { i64, i1 } @start(i64 %out.line, i64 %end, i64 %n, i64 %inner)
  %out.place = extractvalue { i64, i1 } %out.first, 0
  %lane.out = getelementptr $result, ptr %out, i64 %out.place
  br label %write.apart
write.apart:
  %l = phi i64 [ 0, %write.lane ], [ %l.next, %write.apart ]
  %target = phi ptr [ %lane.out, %write.lane ], [ %target.next, %write.apart ]
  %one = call $result @get.one(ptr %scratch, i64 %l, i64 %out.lane)
  store $result %one, ptr %target, align $result_align
  %target.next = getelementptr $result, ptr %target, i64 %inner
  %l.next = add nuw i64 %l, 1
  %more.out = icmp ult i64 %l.next, %n
  br i1 %more.out, label %write.apart, label %write.lane.end
write.lane.end:
  %out.lane.next = add nuw i64 %out.lane, 1
  %more.lanes = icmp ult i64 %out.lane.next, %count
  br i1 %more.lanes, label %write.lane, label %block.end
block.end:
  %line.next = add i64 %line, $lanes
  %more.blocks = icmp ult i64 %line.next, %end
  br i1 %more.blocks, label %block, label %done
done:
  ret void
}

; A row has items, and behind them their numbers.
define internal void @put(ptr %rows, i64 %number, $key_lanes %elements) alwaysinline {
  %one.zero = call $key_lanes @canonical.lanes($key_lanes %elements)
  %items = call $key_lanes @item.lanes($key_lanes %one.zero)
  %row = getelementptr [$row_bytes x i8], ptr %rows, i64 %number
  store $key_lanes %items, ptr %row, align $key_align
  %number.key = $number_cast i64 %number to $key
  %numbers.lane = insertelement <$lanes x $key> poison, $key %number.key, i64 0
  %numbers = shufflevector <$lanes x $key> %numbers.lane, <$lanes x $key> poison, <$lanes x i32> zeroinitializer
  %numbers.place = getelementptr $key_lanes, ptr %row, i64 1
  store $key_lanes %numbers, ptr %numbers.place, align $key_align
  ret void
}

define internal $result_lanes @get(ptr %rows, i64 %number) alwaysinline {
  %row = getelementptr [$row_bytes x i8], ptr %rows, i64 %number
  %place = getelementptr $key_lanes, ptr %row, i64 1
  %numbers = load $key_lanes, ptr %place, align $key_align
  %wide = $widen $key_lanes %numbers to $result_lanes
  ret $result_lanes %wide
}

define internal void @back(ptr %rows, i64 %number) alwaysinline {
  ret void
}

define internal i64 @get.one(ptr %rows, i64 %number, i64 %lane) alwaysinline {
  %row = getelementptr [$row_bytes x i8], ptr %rows, i64 %number
  %numbers = getelementptr $key_lanes, ptr %row, i64 1
  %place = getelementptr $key, ptr %numbers, i64 %lane
  %element = load $key, ptr %place, align $key_align
  %wide = $widen $key %element to i64
  ret i64 %wide
}

define internal void @exchange(ptr %low, ptr %high) alwaysinline {
  %low.numbers = getelementptr $key_lanes, ptr %low, i64 1
  %high.numbers = getelementptr $key_lanes, ptr %high, i64 1
  %x = load $key_lanes, ptr %low, align $key_align
  %y = load $key_lanes, ptr %high, align $key_align
  %x.numbers = load $key_lanes, ptr %low.numbers, align $key_align
  %y.numbers = load $key_lanes, ptr %high.numbers, align $key_align
  %smaller = icmp ult $key_lanes %y, %x
  %equal = icmp eq $key_lanes %y, %x
  %earlier = icmp ult $key_lanes %y.numbers, %x.numbers
  %tie = and <$lanes x i1> %equal, %earlier
  %swap = or <$lanes x i1> %smaller, %tie
  %first = select <$lanes x i1> %swap, $key_lanes %y, $key_lanes %x
  %second = select <$lanes x i1> %swap, $key_lanes %x, $key_lanes %y
  %first.numbers = select <$lanes x i1> %swap, $key_lanes %y.numbers, $key_lanes %x.numbers
  %second.numbers = select <$lanes x i1> %swap, $key_lanes %x.numbers, $key_lanes %y.numbers
  store $key_lanes %first, ptr %low, align $key_align
  store $key_lanes %second, ptr %high, align $key_align
  store $key_lanes %first.numbers, ptr %low.numbers, align $key_align
  store $key_lanes %second.numbers, ptr %high.numbers, align $key_align
  ret void
}

;---------------------------------------------------------------------------------------- take_lanes

; Put the elements of the lines %start to %end at %in, in the order that each line has at %order, of
; i64, to %out; %n is not 0.
define void @gd.take_lanes.$name(ptr noalias %out, ptr noalias %in, ptr noalias %order, i64 %n, i64 %inner, i64 %start, i64 %end) {
entry:
  %any = icmp ult i64 %start, %end
  br i1 %any, label %line, label %done
line:
  %number = phi i64 [ %start, %entry ], [ %number.next, %line.end ]
  %outer = udiv i64 %number, %inner
  %lines.before = mul i64 %outer, %inner
  %within = sub i64 %number, %lines.before
  %before = mul i64 %lines.before, %n
  %first = add i64 %before, %within
  %line.in = getelementptr $key, ptr %in, i64 %first
  br label %element
element:
  %i = phi i64 [ 0, %line ], [ %i.next, %element ]
  %at = phi i64 [ %first, %line ], [ %at.next, %element ]
  %order.place = getelementptr i64, ptr %order, i64 %at
  %position = load i64, ptr %order.place, align 8
  %distance = mul i64 %position, %inner
  %from = getelementptr $key, ptr %line.in, i64 %distance
  %x = load $key, ptr %from, align $key_align
  %to = getelementptr $key, ptr %out, i64 %at
  store $key %x, ptr %to, align $key_align
  %at.next = add i64 %at, %inner
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %element, label %line.end
line.end:
  %number.next = add i64 %number, 1
  %more.lines = icmp ult i64 %number.next, %end
  br i1 %more.lines, label %line, label %done
done:
  ret void
}
