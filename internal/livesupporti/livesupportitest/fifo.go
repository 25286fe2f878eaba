package livesupportitest

// fifo keeps the last entries pushed, at most limit of them.
type fifo[T any] struct {
	limit   int
	entries []T
	first   int // where the oldest is, once entries is full
}

// push adds an entry and returns the one it displaced, if any.
func (q *fifo[T]) push(entry T) (displaced T, full bool) {
	if len(q.entries) < q.limit {
		q.entries = append(q.entries, entry)
		return displaced, false
	}
	displaced, q.entries[q.first] = q.entries[q.first], entry
	q.first = (q.first + 1) % q.limit
	return displaced, true
}

// last returns the newest n entries, oldest first.
func (q *fifo[T]) last(n int) []T {
	n = min(n, len(q.entries))
	out := make([]T, 0, n)
	for i := len(q.entries) - n; i < len(q.entries); i++ {
		out = append(out, q.entries[(q.first+i)%len(q.entries)])
	}
	return out
}
