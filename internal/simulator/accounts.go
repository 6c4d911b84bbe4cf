package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// Account is a service account that the scenario's caller may act as.
type Account struct {
	Email string `json:"email"`
	// Projects are where it may call everything that is simulated. Default: nowhere.
	Projects []string `json:"projects,omitempty"`
}

const (
	generateAccessToken = "serviceAccounts.generateAccessToken"
	accountsPrefix      = "projects/-/serviceAccounts/"
)

// ofIAM tells the calls of the IAM Service Account Credentials API from those of Cloud Run.
func ofIAM(operation string) bool { return operation == generateAccessToken }

// GenerateAccessToken says whose token the caller gets who asks for one of
// projects/-/serviceAccounts/EMAIL. What the token is like is the skin's affair.
func (a API) GenerateAccessToken(name string) (email string, err error) {
	return carryOut(a, generateAccessToken, name, func(*ticket) (string, error) {
		email, ok := strings.CutPrefix(name, accountsPrefix)
		if _, known := a.world.account(email); !ok || !known || a.caller.Identity != a.world.scenario.Caller {
			return "", tokenDenied()
		}
		return email, nil
	})
}

// tokenDenied is what the API says of accounts that are not there as of those that may
// not be acted as (google-github-actions/auth#340).
func tokenDenied() *APIError {
	const permission = "iam.serviceAccounts.getAccessToken"
	return &APIError{
		Code: http.StatusForbidden, Status: statusName(http.StatusForbidden),
		Message: "Permission '" + permission + "' denied on resource (or it may not exist).",
		Details: []map[string]any{{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED", "domain": "iam.googleapis.com",
			"metadata": map[string]string{"permission": permission},
		}},
	}
}

func (w *World) account(email string) (Account, bool) {
	i := slices.IndexFunc(w.scenario.Accounts, func(a Account) bool { return a.Email == email })
	if i < 0 {
		return Account{}, false
	}
	return w.scenario.Accounts[i], true
}

// barred tells whether a caller may not call anything in the project of a resource. Who
// is no account of the scenario may do everything.
func (a API) barred(resource string) bool {
	account, known := a.world.account(a.caller.Identity)
	rest, ok := strings.CutPrefix(resource, "projects/")
	project, _, _ := strings.Cut(rest, "/")
	return known && (!ok || !slices.Contains(account.Projects, project))
}

// seriesDenied is what Cloud Monitoring says of them; the words are unverified.
func seriesDenied(project string) *series.Error {
	return &series.Error{Code: series.PermissionDenied, Message: fmt.Sprintf(
		"Permission monitoring.timeSeries.list denied (or the resource may not exist) on projects/%s.", project)}
}

func checkAccounts(accounts []Account) error {
	for i, a := range accounts {
		if !strings.HasSuffix(a.Email, ".gserviceaccount.com") || strings.Count(a.Email, "@") != 1 {
			return fmt.Errorf("accounts[%d]: email %q is not that of a service account", i, a.Email)
		}
	}
	return nil
}
