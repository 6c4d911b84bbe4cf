package soak

import (
	"container/heap"
	"time"
)

// queue is everything that is yet to happen, in the order of its time; what has the
// same time, in the order in which it was planned.
type queue struct {
	planned plans
	number  int
}

type plan struct {
	at     time.Time
	number int
	do     func()
}

func (q *queue) add(at time.Time, do func()) {
	q.number++
	heap.Push(&q.planned, plan{at, q.number, do})
}

// next is when something happens next.
func (q *queue) next() (time.Time, bool) {
	if len(q.planned) == 0 {
		return time.Time{}, false
	}
	return q.planned[0].at, true
}

// take removes what happens next.
func (q *queue) take() func() { return heap.Pop(&q.planned).(plan).do } //nolint:forcetypeassert // nothing else is in it

// plans implements heap.Interface.
type plans []plan

func (p plans) Len() int { return len(p) }

func (p plans) Less(i, j int) bool {
	if p[i].at.Equal(p[j].at) {
		return p[i].number < p[j].number
	}
	return p[i].at.Before(p[j].at)
}

func (p plans) Swap(i, j int) { p[i], p[j] = p[j], p[i] }

func (p *plans) Push(one any) { *p = append(*p, one.(plan)) } //nolint:forcetypeassert // nothing else is in it

func (p *plans) Pop() any {
	last := (*p)[len(*p)-1]
	(*p)[len(*p)-1] = plan{}
	*p = (*p)[:len(*p)-1]
	return last
}
