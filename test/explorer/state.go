package explorer

// state is everything that the future depends on. It is small and comparable: what
// is large is kept in pools and named by its number here. Times are not in it but
// in the pooled statuses, as distances from a Now that never moves (see status.go).
type state struct {
	object      object
	cloud       cloud
	controllers [2]controller
	past        past
	weather     weather
	shut        bool  // a freeze lets nothing rise
	faults      uint8 // how many may still happen
	acts        uint8 // how often a person may still do something
}

// object is the custom resource, as the apiserver keeps it.
type object struct {
	status  uint32 // number of the saved progress
	plan    uint8  // index in plans
	paused  bool
	named   uint8 // spec.stableRevision, as the number of a revision; 0 for none
	wants   uint8 // spec.template, as the number of a template; 0 for none
	life    life
	request verb // that was not answered yet
	step    int8 // that the request is bound to; -1 for none
	late    bool // the request is bound to an attempt that is over
}

// life is where the object is on its way out.
type life uint8

const (
	living   life = iota
	deleting      // with onDelete: Rollback
	gone
)

// verb is what a person asks for, as an index in verbs.
type verb uint8

// controller is one of the two processes. It remembers nothing but the pass that
// it is in.
type controller struct {
	decision uint32 // number of the decision it carries out; 0 for none
	stage    stage
	number   uint8 // of its write
	late     bool  // the service has another etag since it was decided
}

// stage is how far a pass has come.
type stage uint8

const (
	atRest  stage = iota
	decided       // the status is to be saved
	saved         // the write is to be sent
)

// cloud is the one service, as Cloud Run keeps it. Its etag is not in it: what was
// decided on an older one is marked as late, and no etag comes back.
type cloud struct {
	desired     uint32 // number of a traffic list
	effective   uint32
	parked      write // that is under way and may land later
	claim       uint8 // number of the write that the service's claim is from; 0 without
	rival       uint8 // baseline in the claim of another cluster, as the number of a revision; 0 where the claim is ours
	reconciling bool
	failed      bool  // the last change could not be applied
	created     uint8 // number of the newest revision
	ready       uint8 // number of the newest one that is ready
	revisions   [mostRevisions + 1]health
	keeper      keeper
	template    uint8                    // number of the service's template; 0 for one that is not of Git
	made        [mostRevisions + 1]uint8 // the same of the templates that revisions were made from
}

// write is a write of ours on its way: of a traffic list, or of a template.
type write struct {
	list     uint32 // number of the traffic list; 0 for none
	number   uint8  // among our writes of traffic: the newest that was decided has newest
	template uint8  // number of the template; 0 for none
}

// isNone tells whether nothing is written.
func (w write) isNone() bool { return w.list == 0 && w.template == 0 }

// mostRevisions is how many revisions the service gets: the first one, the one that
// is rolled out, and one that comes in between.
const mostRevisions = 3

// health is how a revision is.
type health uint8

const (
	absent health = iota // not created yet
	ready
	unready
	lost
)

// weather is what the metrics would say when asked.
type weather uint8

const (
	healthy  weather = iota
	thin             // too few requests
	silent           // no data
	troubled         // a breach whose policy is to hold, and to go back if it lasts
	failing          // a breach whose policy is to go back
)

// past is what the invariants must know of what happened before: bits, so that
// states which differ in nothing else stay few.
type past struct {
	given     uint8 // set of candidates given up in the attempt under way
	abandoned uint8 // set of candidates given up until a person asks to retry
	dismissed uint8 // set of candidates from which a person took everything for stable
	foreign   bool  // the split is somebody else's, and nobody let it go
	owner     owner
	meantBack bool  // a write of the attempt gave stable everything
	meantFull bool  // a write of the attempt gave the candidate everything
	thin      bool  // a person let what serves pass with too few requests
	approved  bool  // a person let the next weight begin
	promoted  verb  // the promote of what serves, or the one to the end until that serves; noVerb for none
	paused    bool  // a person asked to pause, and nobody resumed
	served    uint8 // ticks for which the split has served, at most mostServed
	deployed  uint8 // number of the template that we deployed last; 0 where somebody has deployed since
}

// owner is who may write the service, as people settled it.
type owner uint8

const (
	we      owner = iota // and nobody ever asked for it
	they                 // another cluster took it over
	weAgain              // a person took it back
)

// mostServed is more ticks than any bake.
const mostServed = 3

// sorted puts the controllers in order: they are alike, so which of them does what
// makes no difference.
func (s state) sorted() state {
	a, b := s.controllers[0], s.controllers[1]
	if a.stage < b.stage || a.stage == b.stage && (a.decision < b.decision || a.decision == b.decision && !a.late && b.late) {
		s.controllers[0], s.controllers[1] = b, a
	}
	return s
}

// quiet tells whether nothing is under way that was decided earlier.
func (s state) quiet() bool {
	return s.controllers[0].stage == atRest && s.controllers[1].stage == atRest && s.cloud.parked.isNone()
}

// drop ends a controller's pass.
func (s *state) drop(i int) { s.controllers[i] = controller{} }

// numbered is what a new write does to the numbers of those before it.
func (s *state) numbered() {
	for _, n := range []*uint8{&s.cloud.claim, &s.cloud.parked.number, &s.controllers[0].number, &s.controllers[1].number} {
		if *n > longAgo {
			*n--
		}
	}
}

// changed is what a change of the object does to passes: one that has not saved
// will not, because the object has another resourceVersion.
func (s *state) changed() {
	for i, c := range s.controllers {
		if c.stage == decided {
			s.drop(i)
		}
	}
}
