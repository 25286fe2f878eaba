// Package connectortest is the suite that every connector must pass. A connector's own test describes its
// kind in a Harness and calls Run; the suite plays the host, hands out watched and broken ways to the
// source, and says in one sentence each promise that is not kept.
//
// It refuses to skip: what a kind cannot have (a file has no password) is declared in the harness with the
// reason, and a harness that is silent about a part fails. It knows no vendor: behaviour that only one kind
// has is tested beside that kind.
package connectortest

import (
	"context"
	"fmt"
	"runtime/debug"
	"testing"
)

// promise is one thing that every connector does. It returns what was not kept, in words.
type promise struct {
	name string
	keep func(ctx context.Context, h Harness) error
}

var promises = []promise{
	{"spec is a strict schema with words for people", specIsStrict},
	{"spec hides what is secret", specHidesSecrets},
	{"spec takes the good settings and no unknown key", specFitsSettings},
	{"spec is the same every time", specIsStatic},
	{"settings of every version open", settingsOfOldOpen},
	{"the code keeps to the ways out it is given", codeStaysInside},
	{"open needs no network", openNeedsNoNetwork},
	{"check of a good source is all right", checkPasses},
	{"check names the failed step and the way out", checkNamesFaults},
	{"lookup finds", lookupFinds},
	{"lookup does not know everybody", lookupFindsNobody},
	{"lookup tells when it cannot tell", lookupIsAmbiguous},
	{"lookup tells null, empty and absent apart", lookupTellsNothings},
	{"lookup finds by a second address", secondAddressFinds},
	{"a huge value is cut", hugeValueIsCut},
	{"what fails beside the record is partial", failureBesideIsPartial},
	{"addresses are data", addressesAreData},
	{"requests keep their shape", requestsKeepTheirShape},
	{"64 lookups at once", lookupsInParallel},
	{"a batch answers like single lookups", batchAnswersAlike},
	{"discover is complete and stable", discoverIsStable},
	{"discover lists a wide source", discoverIsWide},
	{"errors have a class and a way out", errorsHaveClasses},
	{"answers nobody expects are told as what they are", answersAreJudged},
	{"an answer cut short is noticed", cutsAreNoticed},
	{"a damaged answer does no harm", damageDoesNoHarm},
	{"an expired login is renewed once", loginIsRenewedOnce},
	{"a revoked login ends the matter", revokedLoginEndsTheMatter},
	{"limits are kept", limitsAreKept},
	{"nothing is asked twice", nothingIsAskedTwice},
	{"a hanging source does not outlast the deadline", deadlineIsKept},
	{"a cancelled lookup ends", cancelIsObeyed},
	{"only the given ways out are used", egressIsGuarded},
	{"redirects are not followed", redirectsAreNotFollowed},
	{"secrets and visitors stay out of texts and logs", textsAreClean},
	{"nothing is written", sourceIsOnlyRead},
	{"close twice and during a lookup", closeIsCalm},
	{"no goroutine outlives close", closeLeavesNothing},
}

// Run holds the kind to every promise, each in a subtest. It must not be called from a parallel test: other
// tests' goroutines would look like leaks.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if err := h.complete(); err != nil {
		t.Fatalf("the harness is incomplete: %v", err)
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			if err := p.hold(t.Context(), h); err != nil {
				t.Error(err)
			}
		})
	}
}

// hold runs the promise; a panic of the connector in this goroutine breaks it.
func (p promise) hold(ctx context.Context, h Harness) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return p.keep(ctx, h)
}
