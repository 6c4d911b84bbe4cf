package modelplane

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// The rules are those of k8s.io/apiserver/pkg/registry: rest.BeforeCreate,
// BeforeUpdate and BeforeDelete, and generic/registry.Store around them, with the
// strategies that apiextensions-apiserver has for custom resources.

// create stores a new object, without the status it came with. Its default is
// filled in whenever the object is read, but not stored: the first write after it
// stores it, and is a new version even if it changes nothing else.
func (s *Server) create(c Call) (*v1alpha1.CloudRunRollout, error) {
	sent := c.Object.DeepCopy()
	if sent.ResourceVersion != "" {
		return nil, errVersionAtCreate
	}
	sent.Status = v1alpha1.CloudRunRolloutStatus{}
	now, err := s.received(sent)
	if err != nil {
		return nil, err
	}
	s.created++
	if now.Name == "" && now.GenerateName != "" {
		now.Name = fmt.Sprintf("%s%05d", now.GenerateName, s.created)
	}
	if now.Name == "" {
		return nil, errNoName
	}
	if s.now.get(keyOf(now)) != nil {
		return nil, errExists(now.Name)
	}
	now.UID = types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012x", s.created))
	now.Generation = 1
	now.CreationTimestamp = s.stamp()
	now.DeletionTimestamp, now.DeletionGracePeriodSeconds = nil, nil
	c.Key = keyOf(now)
	s.commit(c, nil, now)
	s.bare[now] = true
	return now, nil
}

// update stores what was sent, except for the status.
func (s *Server) update(c Call) (*v1alpha1.CloudRunRollout, error) {
	was := s.now.get(c.Key)
	if was == nil {
		return nil, errNotFound(c.Key.Name)
	}
	now, err := s.received(c.Object)
	if err != nil {
		return nil, err
	}
	return s.replace(c, was, now)
}

// patch merges what was sent into an object, except into its status.
func (s *Server) patch(c Call, data []byte) (*v1alpha1.CloudRunRollout, error) {
	was := s.now.get(c.Key)
	if was == nil {
		return nil, errNotFound(c.Key.Name)
	}
	now, err := s.patched(was, data)
	if err != nil {
		return nil, err
	}
	return s.replace(c, was, now)
}

// replace puts a new state of an object in the place of the old one.
func (s *Server) replace(c Call, was, now *v1alpha1.CloudRunRollout) (*v1alpha1.CloudRunRollout, error) {
	if err := checkVersion(was, now); err != nil {
		return nil, err
	}
	now.Status = was.Status
	now.Generation = was.Generation
	if !reflect.DeepEqual(was.Spec, now.Spec) {
		now.Generation++
	}
	now.UID, now.CreationTimestamp = was.UID, was.CreationTimestamp
	if was.DeletionTimestamp != nil {
		now.DeletionTimestamp = was.DeletionTimestamp
		now.DeletionGracePeriodSeconds = was.DeletionGracePeriodSeconds
	}
	if err := checkMetadata(was, now); err != nil {
		return nil, err
	}
	if was.DeletionTimestamp != nil && len(now.Finalizers) == 0 {
		s.commit(c, was, nil)
		return now, nil
	}
	if reflect.DeepEqual(was, now) && !s.bare[was] {
		return was, nil
	}
	s.commit(c, was, now)
	return now, nil
}

// updateStatus stores the status that was sent, and nothing else of it.
func (s *Server) updateStatus(c Call) (*v1alpha1.CloudRunRollout, error) {
	was := s.now.get(c.Key)
	if was == nil {
		return nil, errNotFound(c.Key.Name)
	}
	if err := checkVersion(was, c.Object); err != nil {
		return nil, err
	}
	now := *was // versions share what they have in common: nobody changes it
	now.Status = s.status(c.Object)
	if wrong := s.limits.check(reflect.ValueOf(&now.Status)); len(wrong) > 0 {
		return nil, invalid(was.Name, below("status", wrong)...)
	}
	if reflect.DeepEqual(&was.Status, &now.Status) && !s.bare[was] {
		return was, nil
	}
	s.commit(c, was, &now)
	return &now, nil
}

// status is a status as the server sees it. There are no defaults within one,
// only one for an object without any.
func (s *Server) status(o *v1alpha1.CloudRunRollout) v1alpha1.CloudRunRolloutStatus {
	status := o.Status.DeepCopy()
	canonical(reflect.ValueOf(status).Elem())
	if reflect.ValueOf(status).Elem().IsZero() {
		return s.initial
	}
	return *status
}

// delete takes an object away, or marks it if finalizers hold it.
func (s *Server) delete(c Call, preconditions *metav1.Preconditions) error {
	was := s.now.get(c.Key)
	if was == nil {
		return errNotFound(c.Key.Name)
	}
	if err := checkPreconditions(was, preconditions); err != nil {
		return err
	}
	if was.DeletionTimestamp != nil {
		return nil
	}
	if len(was.Finalizers) == 0 {
		s.commit(c, was, nil)
		return nil
	}
	now, stamp := *was, s.stamp()
	now.Generation++
	now.DeletionTimestamp, now.DeletionGracePeriodSeconds = &stamp, new(int64)
	s.commit(c, was, &now)
	return nil
}

// stamp is the present time as a server writes it.
func (s *Server) stamp() metav1.Time {
	return metav1.NewTime(s.clock.Now().Truncate(time.Second).Local())
}

// checkVersion compares what a caller knew with what there is.
func checkVersion(was, sent *v1alpha1.CloudRunRollout) error {
	if sent.UID != "" && sent.UID != was.UID {
		return errAnother(was, sent.UID)
	}
	switch sent.ResourceVersion {
	case "", "0":
		return errNoVersion(was.Name)
	case was.ResourceVersion:
		return nil
	}
	if _, err := strconv.ParseUint(sent.ResourceVersion, 10, 64); err != nil {
		return untranslated(err.Error())
	}
	return errConflict(was.Name)
}

// checkMetadata refuses what may not change.
func checkMetadata(was, now *v1alpha1.CloudRunRollout) error {
	if was.DeletionTimestamp == nil && now.DeletionTimestamp != nil {
		return errDeletionMarked(now)
	}
	if was.DeletionTimestamp == nil {
		return nil
	}
	for _, finalizer := range now.Finalizers {
		if !slices.Contains(was.Finalizers, finalizer) {
			return errNewFinalizer(was.Name, finalizer)
		}
	}
	return nil
}

func checkPreconditions(was *v1alpha1.CloudRunRollout, p *metav1.Preconditions) error {
	switch {
	case p == nil:
		return nil
	case p.UID != nil && *p.UID != was.UID:
		return errPrecondition(was.Name, "UID", string(*p.UID), string(was.UID), "deleted and then recreated")
	case p.ResourceVersion != nil && *p.ResourceVersion != was.ResourceVersion:
		return errPrecondition(was.Name, "ResourceVersion", *p.ResourceVersion, was.ResourceVersion, "modified")
	}
	return nil
}
