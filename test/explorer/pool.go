package explorer

import "sync"

const (
	pageBits = 12
	pageSize = 1 << pageBits
	pages    = 1 << 14
)

// pool numbers values, so that a state holds four bytes where it means a whole
// status. Equal values have one number. Number 0 is none.
type pool[T any] struct {
	mu    sync.Mutex
	known map[string]uint32
	count uint32
	// pages never move: whoever was given a number may read its value without the
	// lock while others add theirs.
	pages [pages]*[pageSize]T
}

func newPool[T any]() *pool[T] { return &pool[T]{known: map[string]uint32{}} }

// number is that of a value with a key; it is remembered if it is new.
func (p *pool[T]) number(key string, value T) uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, ok := p.known[key]; ok {
		return n
	}
	p.count++
	n := p.count
	if p.pages[n>>pageBits] == nil {
		p.pages[n>>pageBits] = new([pageSize]T)
	}
	p.pages[n>>pageBits][n%pageSize] = value
	p.known[key] = n
	return n
}

// at is the value with a number.
func (p *pool[T]) at(n uint32) *T { return &p.pages[n>>pageBits][n%pageSize] }
