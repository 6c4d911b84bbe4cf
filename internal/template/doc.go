// Package template reads the template that a rollout deploys: a Cloud Run v2
// RevisionTemplate in the API's own JSON. It is pure, and strict: what the API would
// refuse or pass over in silence is refused here, with the place in the manifest and
// what to write instead. Values may be secrets, and are in no message.
package template
