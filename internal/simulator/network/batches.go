package network

// batch is a number of connections to which the same happened at a second.
type batch struct{ at, n int32 }

// batches is a queue of them, oldest first, in a ring that grows to what is ever
// needed and is then used again.
type batches struct {
	ring  []batch // its length is a power of two
	head  int
	size  int
	total int // connections in all batches
}

func (b *batches) slot(i int) *batch { return &b.ring[(b.head+i)&(len(b.ring)-1)] }

// push adds connections at a second that is not before that of the newest batch.
func (b *batches) push(at int32, n int) {
	if n <= 0 {
		return
	}
	b.total += n
	if b.size > 0 {
		if newest := b.slot(b.size - 1); newest.at == at {
			newest.n += int32(n) //nolint:gosec // a world has far fewer connections
			return
		}
	}
	if b.size == len(b.ring) {
		b.grow()
	}
	b.size++
	*b.slot(b.size - 1) = batch{at, int32(n)} //nolint:gosec // a world has far fewer connections
}

func (b *batches) grow() {
	larger := make([]batch, max(8, 2*len(b.ring)))
	for i := range b.size {
		larger[i] = *b.slot(i)
	}
	b.ring, b.head = larger, 0
}

// takeUntil removes the oldest batch if it is not newer than a second.
func (b *batches) takeUntil(last int32) (batch, bool) {
	if b.size == 0 || b.ring[b.head].at > last {
		return batch{}, false
	}
	oldest := b.ring[b.head]
	b.head = (b.head + 1) & (len(b.ring) - 1)
	b.size--
	b.total -= int(oldest.n)
	return oldest, true
}

// takeNewest removes up to n connections, the newest first, and returns how many.
func (b *batches) takeNewest(n int) int {
	n = min(n, b.total)
	b.total -= n
	for left := int32(n); left > 0; { //nolint:gosec // at most total
		newest := b.slot(b.size - 1)
		taken := min(left, newest.n)
		left -= taken
		newest.n -= taken
		if newest.n == 0 {
			b.size--
		}
	}
	return n
}

// clear forgets everything and gives the memory back.
func (b *batches) clear() { *b = batches{} }
