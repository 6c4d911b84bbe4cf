// Package page looks at the manager's page with a real browser: what it reads there
// is what kubectl sluice says of the same objects. It makes the pictures for the
// documents, too.
//
// Where no Chromium is installed its tests are skipped, unless SLUICE_NEEDS says that
// it must be there.
package page
