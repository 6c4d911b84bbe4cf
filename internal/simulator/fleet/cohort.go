package fleet

import "math"

// kind tells what requests are for.
type kind uint8

const (
	page  kind = iota // of a user, or of a caller
	asset             // a file that belongs to a page
	opens             // no request: connections that a starting instance opens
)

// phase is what requests are doing.
type phase uint8

const (
	working phase = iota // their own work, or what comes after a call
	asking               // they need a connection for the call of their stage
	hanging              // they got none and try again
	talking              // the call is under way
	waiting              // they wait for the answer of another service
	ending               // they end with their code
)

// cohort is a number of requests of one instance that fare alike.
type cohort struct {
	count   int
	begun   float64 // when they reached the instance
	at      float64 // when something happens to them next
	since   float64 // when their client began to ask for a connection
	stage   int     // the step of their revision that they are in
	code    int     // how they end
	tries   int     // packets that asked for a connection in vain
	retries int     // how often the client has begun again
	open    int     // index of the connections being opened, for kind opens
	spread  float64
	kind    kind
	phase   phase
	kept    bool   // the connection belongs to a pool
	busy    bool   // and is counted there as busy beyond this second
	hung    bool   // a call of theirs had to wait
	from    *visit // who asked for it; nil: a user
	visit   *visit // whom they ask
}

// visit is a number of requests that an instance sends to another service.
type visit struct {
	caller  *instance
	service *Service // of the caller; nil for machines
	parent  *visit
	answers []answer
}

// answer is how some requests of a visit ended.
type answer struct {
	count int
	at    float64
	code  int
}

// piece is a number of requests that have no instance yet.
type piece struct {
	count int
	at    float64
	kind  kind
	code  int // how they will end, if that is known
	from  *visit
}

// Ended is a number of requests that ended alike.
type Ended struct {
	Code    int
	Count   int
	Latency float64
	Spread  float64
	Asset   bool
}

// resend is how long after its first packet a client sends its nth again: after 1,
// 3, 7, 15, 31 seconds and so on [RFC 6298 2.1 and 5.5: 1 s, doubled].
func resend(n int) float64 { return math.Exp2(float64(n)) - 1 }

// within tells whether a service is called already on the way to here, so that
// requests do not go in circles.
func (v *visit) within(s *Service) bool {
	for ; v != nil; v = v.parent {
		if v.service == s {
			return true
		}
	}
	return false
}
