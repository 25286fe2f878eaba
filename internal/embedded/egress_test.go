package embedded_test

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"sidecard/internal/api/contract"
	"sidecard/internal/app"
	"sidecard/internal/livesupporti/livesupportitest"
)

// A tenant types addresses of the network that Sidecard stands in. Of that, the
// operator has opened the one address at which LiveSupporti is simulated.
func TestATenantCannotLookAroundInside(t *testing.T) {
	t.Parallel()
	canary, err := net.Listen("tcp4", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = canary.Close() })
	var hits atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := canary.Accept()
			if err != nil {
				return
			}
			hits.Add(1)
			_ = conn.Close()
		}
	}()
	w := newWorld(t, nil, func(c *app.Config) { c.AllowCIDRs = "127.0.0.0/8"; c.DenyCIDRs = "127.0.0.2/31" })
	port := canary.Addr().(*net.TCPAddr).Port
	connect := func(host string) contract.Connection {
		c, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "postgres", Name: "Inside " + host, Settings: map[string]json.RawMessage{
			"host": raw(host), "port": json.RawMessage(strconv.Itoa(port)), "database": raw("shop"), "user": raw("app"),
			"password": raw("long secret"), "tls": raw("off"), "table": raw("people"), "email_column": raw("email"),
		}})
		if err != nil {
			t.Fatalf("connect %s: %v", host, err)
		}
		return c
	}
	told := map[string]string{}
	var last contract.Connection
	for _, host := range []string{
		"127.0.0.2", "127.0.0.3", "::ffff:127.0.0.2", "::ffff:7f00:2", "127.2", "2130706434", "0x7f000002", "0177.0.0.2", "0.0.0.0", "::", "::1",
		"10.0.0.1", "169.254.169.254", "fd00:ec2::254", "64:ff9b::7f00:2", "2002:7f00:2::1", "100.64.0.1", "fe80::1",
	} {
		last = connect(host)
		report, err := w.client.Check(t.Context(), last.Id.String())
		if err != nil || report.Ok {
			t.Errorf("check of %s: %+v, %v, want it refused", host, report, err)
		}
		told[fmt.Sprintf("%+v", report.Steps)] = host
	}
	if len(told) != 1 {
		t.Errorf("checks tell inner addresses apart: %q", told)
	}
	if _, err := w.client.Publish(t.Context(), []contract.CardLine{{Label: "Name", ConnectionId: last.Id, Field: "name"}}); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.chat(livesupportitest.Visitor{Email: maya})
	w.ends(contract.OutcomeNameLookupFailed)

	report, err := w.client.Check(t.Context(), connect("127.0.0.4").Id.String())
	if _, refused := told[fmt.Sprintf("%+v", report.Steps)]; err != nil || report.Ok || refused {
		t.Errorf("check beside the denied addresses: %+v, %v, want it tried", report, err)
	}
	conn, err := net.Dial("tcp", canary.Addr().String()) // behind all others, and proof that it can be reached
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Read(make([]byte, 1))
	_ = conn.Close()
	_ = canary.Close()
	<-done
	if n := hits.Load() - 1; n != 0 {
		t.Errorf("the canary saw %d connections, want 0", n)
	}
}
