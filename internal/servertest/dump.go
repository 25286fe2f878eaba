package servertest

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// DumpPostgres gives all of a database as pg_dump writes it; binary columns are in hex.
func DumpPostgres(tb testing.TB, url string) string {
	tb.Helper()
	bin, err := postgresBinaries(debianPrefix)
	if err != nil {
		tb.Fatal(err)
	}
	// pg_dump stands beside the real initdb, and may be newer than the server, but not older.
	initdb, err := filepath.EvalSymlinks(filepath.Join(bin, "initdb"))
	if err != nil {
		tb.Fatal(err)
	}
	var wrong strings.Builder
	cmd := exec.CommandContext(tb.Context(), filepath.Join(filepath.Dir(initdb), "pg_dump"), "--dbname", url)
	cmd.Stderr = &wrong
	text, err := cmd.Output()
	if err != nil {
		tb.Fatalf("pg_dump: %v: %s", err, wrong.String())
	}
	return string(text)
}

// DumpRedis gives all keys of a server with their values, a line each.
func DumpRedis(tb testing.TB, url string) string {
	tb.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		tb.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	var text strings.Builder
	for keys := client.Scan(ctx, 0, "*", 1000).Iterator(); keys.Next(ctx); {
		text.WriteString(keys.Val() + " " + redisValue(ctx, client, keys.Val()) + "\n")
	}
	if err := ctx.Err(); err != nil {
		tb.Fatal(err)
	}
	return text.String()
}

// redisValue writes a key's value whatever its type; one that went meanwhile is empty.
func redisValue(ctx context.Context, client *redis.Client, key string) string {
	kind := client.Type(ctx, key).Val()
	read, known := map[string][]any{
		"string": {"get", key}, "list": {"lrange", key, 0, -1}, "hash": {"hgetall", key}, "set": {"smembers", key},
		"zset": {"zrange", key, 0, -1, "withscores"}, "stream": {"xrange", key, "-", "+"},
	}[kind]
	if !known {
		return kind
	}
	cmd := client.Do(ctx, read...)
	return cmd.String()
}
