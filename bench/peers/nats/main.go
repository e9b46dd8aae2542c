// The load for NATS JetStream: one job as JSON in the first argument, events as JSON lines on
// stdout, as the bench's other load processes do.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Job says what to do (see bench/load/job.ts); a work does not look at the fields it has no use for.
type Job struct {
	Work          string  `json:"work"`
	Server        string  `json:"server"`
	Mode          string  `json:"mode"`
	RecordBytes   int     `json:"recordBytes"`
	Clients       int     `json:"clients"`
	Outstanding   int     `json:"outstandingRecords"`
	Records       int     `json:"records"`
	WarmupSeconds float64 `json:"warmupSeconds"`
	Seconds       float64 `json:"seconds"`
	RatePerSecond float64 `json:"ratePerSecond"`
}

const (
	streamName = "BENCH"
	subject    = "bench"
)

func main() {
	var job Job
	if len(os.Args) != 2 {
		fail(fmt.Errorf("one argument is needed, the job, not %d", len(os.Args)-1))
	}
	if err := json.Unmarshal([]byte(os.Args[1]), &job); err != nil {
		fail(fmt.Errorf("the job is not JSON: %w", err))
	}
	works := map[string]func(Job) (any, error){
		"produce": produce, "fill": fill, "fetch": fetch, "latency": latency, "first": first,
	}
	work, ok := works[job.Work]
	if !ok {
		fail(fmt.Errorf("unknown work %q", job.Work))
	}
	result, err := work(job)
	if err != nil {
		fail(err)
	}
	emit("result", result)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// emit prints fields as one JSON line with the name of the event in front.
func emit(event string, fields any) {
	body, err := json.Marshal(fields)
	if err != nil {
		fail(err)
	}
	line := fmt.Sprintf(`{"event":%q`, event)
	if len(body) > 2 {
		line += "," + string(body[1:])
	} else {
		line += "}"
	}
	fmt.Println(line)
}

func connect(job Job) (*nats.Conn, jetstream.JetStream, error) {
	nc, err := nats.Connect("nats://" + job.Server)
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	return nc, js, err
}

func createStream(js jetstream.JetStream) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:               streamName,
		Subjects:           []string{subject},
		Storage:            jetstream.FileStorage,
		AllowAtomicPublish: true,
		AllowBatchPublish:  true,
	})
	return err
}

// first waits for a server that is about to start and publishes one message to it.
func first(job Job) (any, error) {
	emit("waiting", struct{}{})
	giveUp := time.Now().Add(30 * time.Second)
	for {
		nc, js, err := connect(job)
		if err == nil {
			defer nc.Close()
			if err = createStream(js); err == nil {
				_, err = js.Publish(context.Background(), subject, make([]byte, job.RecordBytes))
				return struct{}{}, err
			}
			nc.Close()
		}
		if time.Now().After(giveUp) {
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
}
