package lint

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	structuraldefaulting "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apiservervalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/config/crd"
)

// schema is a version of a resource definition, ready to check with.
type schema struct {
	structural *structuralschema.Structural
	values     apiservervalidation.SchemaValidator
	rules      *cel.Validator
}

// The kinds that are checked.
const (
	KindRollout = "CloudRunRollout"
	KindAccess  = "CloudRunAccess"
	KindFreeze  = "RolloutFreeze"
)

// ours are the definitions that the program carries, each read once.
var ours = map[string]func() (*schema, error){
	KindRollout: sync.OnceValues(func() (*schema, error) { return read(crd.CloudRunRollouts) }),
	KindAccess:  sync.OnceValues(func() (*schema, error) { return read(crd.CloudRunAccesses) }),
	KindFreeze:  sync.OnceValues(func() (*schema, error) { return read(crd.RolloutFreezes) }),
}

// read makes a definition ready to check with.
func read(text []byte) (*schema, error) {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &definition); err != nil {
		return nil, fmt.Errorf("reading the resource definition: %w", err)
	}
	var internal apiextensions.CustomResourceDefinition
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&definition, &internal, nil); err != nil {
		return nil, fmt.Errorf("converting the resource definition: %w", err)
	}
	properties := definitionOf(&internal)
	structural, err := structuralschema.NewStructural(properties)
	if err != nil {
		return nil, fmt.Errorf("the schema: %w", err)
	}
	values, _, err := apiservervalidation.NewSchemaValidator(properties)
	if err != nil {
		return nil, fmt.Errorf("the schema: %w", err)
	}
	return &schema{structural, values, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// definitionOf is the schema of the one version that there is. Conversion moves a
// schema that all versions share to the top.
func definitionOf(definition *apiextensions.CustomResourceDefinition) *apiextensions.JSONSchemaProps {
	if shared := definition.Spec.Validation; shared != nil {
		return shared.OpenAPIV3Schema
	}
	return definition.Spec.Versions[0].Schema.OpenAPIV3Schema
}

// check fills in an object's defaults and says what the API server would not take,
// in its words: fields that nobody knows, values, list keys, and the rules only
// when nothing before is wrong, because they rely on that. Those are checked in no
// order, so that the answers are sorted.
func (s *schema) check(ctx context.Context, obj map[string]any) []string {
	var problems []string
	unknown := pruning.PruneWithOptions(obj, s.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		problems = append(problems, fmt.Sprintf("unknown field %q", path))
	}
	structuraldefaulting.PruneNonNullableNullsWithoutDefaults(obj, s.structural)
	structuraldefaulting.Default(obj, s.structural)
	errs := apiservervalidation.ValidateCustomResource(nil, obj, s.values)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, obj)...)
	if len(errs) == 0 {
		broken, _ := s.rules.Validate(ctx, nil, s.structural, obj, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	return append(problems, texts(errs)...)
}

func texts(errs field.ErrorList) []string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Error())
	}
	slices.Sort(all)
	return all
}

// into turns a checked object into a Go value.
func into(obj map[string]any, value any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(obj, value)
}
