package egress

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// DNS types (RFC 1035, section 3.2.2, and RFC 3596).
const (
	typeA     = 1
	typeCNAME = 5
	typeAAAA  = 28
)

// script is what the name server says about one name.
type script struct {
	// sets are the addresses of the first answer, the second and so on, each
	// separated by spaces; the last is repeated. A and AAAA count apart.
	sets []string
	// chain is the number of aliases between the name and its addresses.
	chain int
}

// nameServer answers over UDP on loopback, with a time to live of 0. It knows a
// name by its first label, so that search domains don't matter.
type nameServer struct {
	conn net.PacketConn

	mu      sync.Mutex
	scripts map[string]script
	asked   map[string]int
	others  *script // for names without a script; nil says that there is none
}

// newNameServer starts one that knows no name, or says the same of all that it
// is not told about later.
func newNameServer(t *testing.T, others *script) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, scripts: map[string]script{}, asked: map[string]int{}, others: others}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return s
}

// name makes a name about which the server says so.
func (s *nameServer) name(told script) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	label := fmt.Sprintf("n%d", len(s.scripts))
	s.scripts[label] = told
	return label + ".attempt.example"
}

// resolver is Go's own, which asks this server and no other.
func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

func (s *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := s.answer(buf[:n]); reply != nil {
			_, _ = s.conn.WriteTo(reply, from)
		}
	}
}

// answer replies to the one question of a query; nil is no reply.
func (s *nameServer) answer(query []byte) []byte {
	const header = 12
	end, name := header, ""
	for end < len(query) && query[end] != 0 {
		next := end + 1 + int(query[end])
		if next >= len(query) {
			return nil
		}
		name += string(query[end+1:next]) + "."
		end = next
	}
	end += 5 // the root label, type and class
	if end > len(query) {
		return nil
	}
	records, known := s.records(name, int(binary.BigEndian.Uint16(query[end-4:])))
	reply := append([]byte{}, query[:2]...)
	reply = append(reply, 0x81, 0x80, 0, 1) // a recursive answer to one question
	if !known {
		reply[3] |= 3 // no such name
	}
	reply = binary.BigEndian.AppendUint16(reply, uint16(len(records)))
	reply = append(reply, 0, 0, 0, 0)
	reply = append(reply, query[header:end]...)
	for _, r := range records {
		reply = append(reply, r...)
	}
	return reply
}

func (s *nameServer) records(name string, kind int) (records [][]byte, known bool) {
	label, _, _ := strings.Cut(strings.ToLower(name), ".")
	s.mu.Lock()
	told, known := s.scripts[label]
	if !known && s.others != nil {
		told, known = *s.others, true
	}
	key := fmt.Sprint(kind, name)
	n := s.asked[key]
	s.asked[key]++
	s.mu.Unlock()
	if !known {
		return nil, false
	}
	for i := range told.chain {
		alias := fmt.Sprintf("alias%d.%s", i, "attempt.example.")
		records = append(records, record(name, typeCNAME, labels(alias)))
		name = alias
	}
	for _, text := range strings.Fields(told.sets[min(n, len(told.sets)-1)]) {
		a := netip.MustParseAddr(text)
		if a.Is4() && kind == typeA || a.Is6() && kind == typeAAAA {
			records = append(records, record(name, kind, a.AsSlice()))
		}
	}
	return records, true
}

// record is a resource record of class IN that may not be kept.
func record(owner string, kind int, data []byte) []byte {
	r := binary.BigEndian.AppendUint16(labels(owner), uint16(kind))
	r = append(r, 0, 1, 0, 0, 0, 0)
	r = binary.BigEndian.AppendUint16(r, uint16(len(data)))
	return append(r, data...)
}

func labels(name string) []byte {
	var b []byte
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		b = append(b, byte(len(label)))
		b = append(b, label...)
	}
	return append(b, 0)
}
