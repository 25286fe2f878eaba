package livesupportitest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is LiveSupporti. It is an http.Handler and safe for concurrent use.
// Close must be called when it is no longer needed.
type Server struct {
	// URL is where a Server made by Start listens, such as
	// "http://127.0.0.1:40123". Its API is under URL + "/api".
	URL string

	opts    Options
	handler http.Handler
	senders chan struct{}
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	busy    sync.WaitGroup

	mu          sync.Mutex
	closed      bool
	accounts    []*Account
	hooks       []*WebHook
	faults      []*Fault
	healed      chan struct{} // closed by Heal
	chats       map[string]*chat
	byVisitor   map[string][]*chat // oldest first
	recent      fifo[*chat]
	wired       fifo[*chat] // those whose wire is kept
	posts       fifo[Post]
	sequence    int // of the newest chat
	postCount   int
	subscribers map[*subscriber]struct{}
	journal     *journal
}

// New returns a Server that listens nowhere: an http.Handler.
func New(opts Options) *Server {
	opts = opts.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		opts:        opts,
		senders:     make(chan struct{}, opts.Senders),
		ctx:         ctx,
		cancel:      cancel,
		healed:      make(chan struct{}),
		chats:       make(map[string]*chat),
		byVisitor:   make(map[string][]*chat),
		recent:      fifo[*chat]{limit: opts.KeepChats},
		wired:       fifo[*chat]{limit: max(opts.KeepWire, 0)},
		posts:       fifo[Post]{limit: opts.KeepPosts},
		subscribers: make(map[*subscriber]struct{}),
	}
	s.handler = s.routes()
	for _, account := range opts.Accounts {
		s.addAccount(account)
	}
	return s
}

// Start returns a Server that listens on a free port of the loopback interface.
func Start(opts Options) (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start livesupportitest: %w", err)
	}
	s := New(opts)
	s.URL = "http://" + ln.Addr().String()
	s.busy.Go(func() { _ = s.serve(s.ctx, ln) })
	return s, nil
}

// ListenAndServe serves a new Server on addr until ctx ends, which is no error.
func ListenAndServe(ctx context.Context, addr string, opts Options) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s := New(opts)
	defer s.Close()
	if opts.StateFile != "" {
		if err := s.Remember(opts.StateFile); err != nil {
			ln.Close()
			return err
		}
	}
	return s.Serve(ctx, ln)
}

// Serve serves on ln, which it closes, until ctx ends, which is no error.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return s.serve(ctx, ln)
}

// Close ends everything that is under way, including requests that hang, and
// waits for it. Notifications that were still to be repeated are lost, as they
// are when ASP.NET's sender restarts.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.busy.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.close()
	s.opts.HTTP.CloseIdleConnections()
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, r)
}

func (s *Server) serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-ctx.Done():
		case <-s.ctx.Done():
			cancel()
		}
		grace, stop := context.WithTimeout(context.Background(), 2*time.Second)
		defer stop()
		if srv.Shutdown(grace) != nil {
			srv.Close()
		}
	}()
	err := srv.Serve(ln)
	cancel()
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *Server) routes() http.Handler {
	control := http.NewServeMux()
	control.HandleFunc("GET /sim/state", s.getState)
	control.HandleFunc("GET /sim/events", s.getEvents)
	control.HandleFunc("POST /sim/accounts", s.postAccount)
	control.HandleFunc("POST /sim/webhooks", s.postWebHook)
	control.HandleFunc("DELETE /sim/webhooks/{id}", s.deleteWebHook)
	control.HandleFunc("POST /sim/chats", s.postChat)
	control.HandleFunc("GET /sim/chats/{id}", s.getChat)
	control.HandleFunc("GET /sim/chats/{id}/wire", s.getWire)
	control.HandleFunc("POST /sim/faults", s.postFault)
	control.HandleFunc("DELETE /sim/faults", s.deleteFaults)

	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/visitors/{id}/details", s.serveDetails)
	mux.HandleFunc("GET /api/agents", s.serveAgents)
	mux.Handle("/sim/", http.NewCrossOriginProtection().Handler(control))
	mux.Handle("/", page())
	return mux
}
