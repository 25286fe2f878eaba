package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
)

func sealedMail(n int) hub.SealedMail {
	return hub.SealedMail{ID: hub.NewID(), Kind: "reset_password", Sealed: fmt.Appendf(nil, "sealed %d", n)}
}

func (q queueTest) addMail(m hub.SealedMail) {
	q.Helper()
	if err := q.Store.AddMail(q.Context(), m); err != nil {
		q.Fatalf("AddMail: %v", err)
	}
}

func (q queueTest) claimMails(limit int, want ...hub.SealedMail) []hub.ClaimedMail {
	q.Helper()
	claimed, err := q.Store.ClaimMails(q.Context(), limit, time.Minute)
	if err != nil || len(claimed) != len(want) {
		q.Fatalf("ClaimMails = %d mails (%v), want %d", len(claimed), err, len(want))
	}
	for i, c := range claimed {
		if c.ID != want[i].ID || c.Kind != want[i].Kind || string(c.Sealed) != string(want[i].Sealed) {
			q.Errorf("claimed %+v, want %+v", c.SealedMail, want[i])
		}
	}
	return claimed
}

func (q queueTest) mailFailed(c hub.ClaimedMail, delay time.Duration) {
	q.Helper()
	if err := q.Store.MailFailed(q.Context(), c.ID, c.Tries, delay); err != nil {
		q.Fatalf("MailFailed: %v", err)
	}
}

func TestMailsAreClaimedLongestDueFirstUntilTheyAreSent(t *testing.T) {
	onQueues(t, func(q queueTest) {
		mails := []hub.SealedMail{sealedMail(1), sealedMail(2), sealedMail(3)}
		for _, m := range mails {
			q.addMail(m)
		}
		q.claimMails(2, mails[0], mails[1])
		q.claimMails(2, mails[2])
		q.claimMails(2)
		for range 2 { // a second note is no error
			if err := q.Store.MailSent(q.Context(), mails[0].ID); err != nil {
				q.Fatal(err)
			}
		}
		if n := q.count("select count(*) from mails"); n != 2 {
			q.Errorf("%d mails left, want 2", n)
		}
	})
}

func TestAMailIsClaimedAgainWhenItsLeaseRanOut(t *testing.T) {
	onQueues(t, func(q queueTest) {
		m := sealedMail(1)
		q.addMail(m)
		lost := q.claimMails(9, m)[0]
		q.claimMails(9)
		q.exec("update mails set busy_until = $1, created_at = $2", time.Now().UTC().Add(-time.Second), time.Now().UTC().Add(-time.Hour))
		now := q.claimMails(9, m)[0]
		if lost.Tries != 1 || now.Tries != 2 {
			q.Errorf("tries = %d, then %d", lost.Tries, now.Tries)
		}
		if lost.Age > time.Minute || now.Age < time.Hour || now.Age > time.Hour+time.Minute {
			q.Errorf("age = %s, then %s", lost.Age, now.Age)
		}
		q.mailFailed(lost, 0) // comes too late
		q.claimMails(9)
		q.mailFailed(now, 0)
		q.claimMails(9, m)
	})
}

func TestAMailThatFailedWaitsForItsDelay(t *testing.T) {
	onQueues(t, func(q queueTest) {
		m := sealedMail(1)
		q.addMail(m)
		q.mailFailed(q.claimMails(9, m)[0], time.Hour)
		q.claimMails(9)
		if n := q.count("select count(*) from mails where busy_until is null and due_at > $1 and due_at < $2",
			time.Now().UTC().Add(59*time.Minute), time.Now().UTC().Add(61*time.Minute)); n != 1 {
			q.Error("the mail is not due in an hour")
		}
		q.exec("update mails set due_at = $1", time.Now().UTC().Add(-time.Second))
		q.claimMails(9, m)
	})
}

func TestNoMailIsInTwoHands(t *testing.T) {
	onQueues(t, func(q queueTest) {
		const mails = 60
		for n := range mails {
			q.addMail(sealedMail(n))
		}
		var all sync.Map
		var couriers sync.WaitGroup
		for range 6 {
			couriers.Go(func() {
				for {
					claimed, err := again(func() ([]hub.ClaimedMail, error) { return q.Store.ClaimMails(q.Context(), 4, time.Minute) })
					if err != nil {
						q.Errorf("ClaimMails: %v", err)
					}
					if len(claimed) == 0 {
						return
					}
					for _, c := range claimed {
						if _, twice := all.LoadOrStore(c.ID, true); twice {
							q.Errorf("mail %s was claimed twice", c.ID)
						}
					}
				}
			})
		}
		couriers.Wait()
		if n := q.count("select count(*) from mails where tries = 1"); n != mails {
			q.Errorf("%d mails claimed once, want %d", n, mails)
		}
	})
}
