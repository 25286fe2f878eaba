package servertest

import "testing"

func TestAFrozenServerAnswersOnceThawed(t *testing.T) {
	t.Parallel()
	server := Redis(t)
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	if redisAnswers(server.Addr(), server.PID()) {
		t.Error("a frozen server answers")
	}
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	if !redisAnswers(server.Addr(), server.PID()) {
		t.Error("a thawed server does not answer")
	}
}
