package rollout

import (
	"fmt"
	"time"
)

// maxSkew is how far our clock and Cloud Run's may be apart. Our clock says which
// minutes belong to a step, Google's dates what happened in them. The first
// minute after a split is not judged (settle); up to half of it apart, and as
// much again for what a measurement cannot see, no minute of the split before
// can be taken for one of the step.
const maxSkew = settle / 2

// skew says that the clocks are too far apart, in words, or "".
func (v view) skew() string {
	apart, side := v.Service.Skew.Abs().Round(10*time.Second), "ahead of"
	if v.Service.Skew < 0 {
		side = "behind"
	}
	if v.Service.Skew.Abs() <= maxSkew {
		return ""
	}
	return fmt.Sprintf("this manager's clock is %s %s Cloud Run's, so no metric can be dated", apart, side)
}

// undated holds while the clocks are too far apart for anything to be healthy.
// What leads back goes on: a breach is bad whenever it was. Nobody can approve
// of evidence that does not exist, and nothing of this is remembered.
func (v view) undated() (Decision, bool) {
	why := v.skew()
	if why == "" {
		return Decision{}, false
	}
	return v.unseen(why, "they agree: set the clock (NTP) of the node it runs on"), true
}
