package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/conncord/conncord/client"
)

// A container takes its place from the environment, opens its pool and uses it
// like any other.
func Example() {
	ctx := context.Background()
	c, err := client.FromEnv(ctx) // SERVICE_NAME, REDIS_URL, DATABASE_URL
	if err != nil {
		log.Fatal(err)
	}
	db, err := c.OpenDB("")
	if err != nil {
		log.Fatal(err)
	}
	var users int
	if err := db.QueryRowContext(ctx, "select count(*) from users").Scan(&users); err != nil {
		log.Print(err)
	}
	fmt.Println(users)
	if err := c.Close(ctx); err != nil { // gives the connections back
		log.Print(err)
	}
}

// Just use it: coordination is automatic.
func ExampleSession() {
	ctx := context.Background()
	conn, err := client.Session(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = conn.ExecContext(ctx, "refresh materialized view report")
	if err != nil {
		log.Print(err)
	}
	_ = conn.Close() // returns it to the pool
	_ = client.Close(ctx)
}

// A batch job that is of no use with less than five connections waits for them,
// but not for ever.
func ExampleCoordinator_Request() {
	ctx := context.Background()
	c, err := client.New(ctx, client.Config{Service: "reports", RedisURL: "redis://redis:6379"})
	if err != nil {
		log.Fatal(err)
	}
	patience, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	grant, err := c.Request(patience, 20, client.AtLeast(5))
	if errors.Is(err, client.ErrExhausted) {
		log.Print(err) // who holds the connections, and the place in the queue
	}
	fmt.Println(grant.Conns)
	_ = c.Close(ctx)
}
