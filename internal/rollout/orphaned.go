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
	why := fmt.Sprintf("stable revision %s no longer exists", v.Progress.Stable)
	if stable.unread() {
		why = stable.unreadWhy()
	}
	return v.unlessNamed(v.at(Idle, BaselineUnknown, fmt.Sprintf("%s; traffic is %s", why, v.desired)).next(v.anotherBaseline())), true
}

// unlessNamed is a wait for a person to name the way back, unless spec.stableRevision does so
// already. One that cannot be obeyed yet changes nothing but what is waited for: whatever the
// wait is for stays, and the name is not used up.
func (v view) unlessNamed(waits Decision) Decision {
	d, named := v.settleBaseline()
	switch {
	case named && d.Progress.Phase != Idle:
		return d
	case named:
		waits.Note, waits.Next = waits.Note+"; "+d.Note, d.Next
	}
	return waits
}

// wasUnseen tells whether nobody could see what serves: it is not told to serve again before
// it is read.
func (v view) wasUnseen() bool {
	r := v.was.Reason
	return v.was.Phase == Idle && (r == Preparing || r == AccessDenied || r == ServiceNotFound || r == BaselineUnknown)
}

// anotherBaseline says how a person gives everything to one revision.
func (v view) anotherBaseline() string {
	return fmt.Sprintf("Send one revision 100%% with %s; or: %s", v.byHand(), v.nameStable())
}
