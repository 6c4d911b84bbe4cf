package simulator

import (
	"container/heap"
	"time"
)

// pending is something that will happen at a known time.
type pending struct {
	at  time.Time
	seq int
	do  func()
}

// agenda orders what is pending by time, and by age where times are equal.
type agenda struct {
	items []pending
	seq   int
}

func (a *agenda) Len() int { return len(a.items) }

func (a *agenda) Less(i, j int) bool {
	if !a.items[i].at.Equal(a.items[j].at) {
		return a.items[i].at.Before(a.items[j].at)
	}
	return a.items[i].seq < a.items[j].seq
}

func (a *agenda) Swap(i, j int) { a.items[i], a.items[j] = a.items[j], a.items[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) {
	if p, ok := x.(pending); ok {
		a.items = append(a.items, p)
	}
}

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := len(a.items) - 1
	p := a.items[last]
	a.items[last] = pending{}
	a.items = a.items[:last]
	return p
}

func (a *agenda) add(at time.Time, do func()) {
	a.seq++
	heap.Push(a, pending{at: at, seq: a.seq, do: do})
}

// next returns when the earliest item is due.
func (a *agenda) next() (time.Time, bool) {
	if len(a.items) == 0 {
		return time.Time{}, false
	}
	return a.items[0].at, true
}

func (a *agenda) take() (pending, bool) {
	p, ok := heap.Pop(a).(pending)
	return p, ok
}
