package rollout

import "fmt"

// orphaned says that the revision which is to serve everything is gone, where nothing names
// another one: Cloud Run goes on showing it, and nothing serves. Nothing begins without a way
// back. LATEST gives everything to whatever is deployed next, and is not waited for.
func (v view) orphaned() (Decision, bool) {
	stable := v.revision(v.Progress.Stable)
	switch {
	case v.Service.followsLatest():
		return Decision{}, false
	case v.stableGone(BaselineUnknown):
	case stable.unread() && v.wasUnseen():
		return v.unreadable(stable), true
	default:
		return Decision{}, false
	}
	if d, ok := v.settleBaseline(); ok {
		return d, true
	}
	why := fmt.Sprintf("stable revision %s no longer exists", v.Progress.Stable)
	if stable.unread() {
		why = stable.unreadWhy()
	}
	return v.at(Idle, BaselineUnknown, fmt.Sprintf("%s; traffic is %s", why, v.desired)).next(v.anotherBaseline()), true
}

// wasUnseen tells whether nobody could see what serves: it is not told to serve again before
// it is read.
func (v view) wasUnseen() bool {
	r := v.was.Reason
	return v.was.Phase == Idle && (r == Preparing || r == AccessDenied || r == ServiceNotFound)
}

// anotherBaseline says how a person gives everything to one revision.
func (v view) anotherBaseline() string {
	return fmt.Sprintf("Send one revision 100%% with %s; or: %s", v.byHand(), v.nameStable())
}
