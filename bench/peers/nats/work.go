package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Run is what was moved in the timed part.
type Run struct {
	Records uint64  `json:"records"`
	Seconds float64 `json:"seconds"`
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// produce publishes as fast as acknowledgements come, with all clients at a time, and counts the
// acknowledgements after the warm-up.
func produce(job Job) (any, error) {
	runs := make([]Run, job.Clients)
	err := each(job.Clients, func(client int) (err error) {
		runs[client], err = produceOne(job)
		return err
	})
	return sum(runs), err
}

// each runs work for clients at a time and returns the first error.
func each(clients int, work func(client int) error) error {
	errs := make(chan error, clients)
	for client := range clients {
		go func() { errs <- work(client) }()
	}
	var first error
	for range clients {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func sum(runs []Run) Run {
	var all Run
	for _, run := range runs {
		all.Records += run.Records
		all.Seconds = max(all.Seconds, run.Seconds)
	}
	return all
}

func produceOne(job Job) (Run, error) {
	nc, js, err := connect(job)
	if err != nil {
		return Run{}, err
	}
	defer nc.Close()
	if err := createStream(js); err != nil {
		return Run{}, err
	}
	p, err := newPublisher(nc, job)
	if err != nil {
		return Run{}, err
	}
	values := newValuePool(job.RecordBytes)
	publishUntil := func(end time.Time) error {
		for i := 0; i%64 != 0 || time.Now().Before(end); i++ {
			if err := p.publish(values.take()); err != nil {
				return err
			}
		}
		return nil
	}
	if err := publishUntil(time.Now().Add(seconds(job.WarmupSeconds))); err != nil {
		return Run{}, err
	}
	first, start := p.acknowledged(), time.Now()
	if err := publishUntil(start.Add(seconds(job.Seconds))); err != nil {
		return Run{}, err
	}
	run := Run{Records: p.acknowledged() - first, Seconds: time.Since(start).Seconds()}
	return run, p.finish()
}

// fill publishes a number of messages, for fetch.
func fill(job Job) (any, error) {
	nc, js, err := connect(job)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	if err := createStream(js); err != nil {
		return nil, err
	}
	p, err := newPublisher(nc, job)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	values := newValuePool(job.RecordBytes)
	for range job.Records {
		if err := p.publish(values.take()); err != nil {
			return nil, err
		}
	}
	err = p.finish()
	return Run{Records: uint64(job.Records), Seconds: time.Since(start).Seconds()}, err
}

// fetch reads the stream from its start to its end with each client until the time is up, touching
// every message.
func fetch(job Job) (any, error) {
	streams := make([]jetstream.JetStream, job.Clients)
	for i := range streams {
		nc, js, err := connect(job)
		if err != nil {
			return nil, err
		}
		defer nc.Close()
		streams[i] = js
	}
	readFor := func(limit time.Duration) (Run, error) {
		start := time.Now()
		runs := make([]Run, job.Clients)
		err := each(job.Clients, func(client int) error {
			for time.Since(start) < limit {
				read, err := readAll(streams[client], job.Records, start.Add(limit))
				if err != nil {
					return err
				}
				runs[client].Records += read
				runs[client].Seconds = time.Since(start).Seconds()
			}
			return nil
		})
		return sum(runs), err
	}
	if _, err := readFor(seconds(job.WarmupSeconds)); err != nil {
		return nil, err
	}
	return readFor(seconds(job.Seconds))
}

// readAll reads up to records messages, at least something, and says how many when the time is up.
func readAll(js jetstream.JetStream, records int, end time.Time) (uint64, error) {
	consumer, err := js.OrderedConsumer(context.Background(), streamName,
		jetstream.OrderedConsumerConfig{})
	if err != nil {
		return 0, err
	}
	some, done := make(chan struct{}), make(chan struct{})
	var read, touched atomic.Uint64
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		touched.Add(uint64(msg.Data()[0]))
		count := read.Add(1)
		if count == 1 {
			close(some)
		}
		if count == uint64(records) {
			close(done)
		}
	}, jetstream.PullMaxMessages(10_000))
	if err != nil {
		return 0, err
	}
	defer consuming.Stop()
	select {
	case <-some:
	case <-time.After(60 * time.Second):
		return 0, errors.New("nothing was read within 60 s")
	}
	select {
	case <-done:
	case <-time.After(time.Until(end)):
	}
	return min(read.Load(), uint64(records)), nil
}

// summarize tells the count, and the mean, the percentiles and the most in ms.
func summarize(samples []time.Duration) map[string]float64 {
	slices.Sort(samples)
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	var sum time.Duration
	for _, sample := range samples {
		sum += sample
	}
	n := len(samples)
	summary := map[string]float64{
		"count": float64(n), "mean": ms(sum) / float64(n), "max": ms(samples[n-1]),
	}
	for _, digits := range []string{"10", "25", "50", "75", "90", "95", "99", "999", "9999"} {
		share, _ := strconv.ParseFloat("0."+digits, 64)
		summary["p"+digits] = ms(samples[int(share*float64(n-1))])
	}
	return summary
}

// latency publishes at a fixed rate. Each message is timed from the moment it was due to its
// acknowledgement and to its arrival at a consumer on another connection.
func latency(job Job) (any, error) {
	producing, js, err := connect(job)
	if err != nil {
		return nil, err
	}
	defer producing.Close()
	if err := createStream(js); err != nil {
		return nil, err
	}
	consuming, consumingJS, err := connect(job)
	if err != nil {
		return nil, err
	}
	defer consuming.Close()

	count := int(job.RatePerSecond * (job.WarmupSeconds + job.Seconds))
	warmup := int(job.RatePerSecond * job.WarmupSeconds)
	interval := time.Duration(float64(time.Second) / job.RatePerSecond)
	start := time.Now().Add(500 * time.Millisecond)
	age := func(i int) time.Duration { return time.Since(start) - time.Duration(i)*interval }

	acks, arrivals := make([]time.Duration, count), make([]time.Duration, count)
	acked, arrived := make(chan struct{}), make(chan struct{})
	inbox := nats.NewInbox()
	ackCount := 0
	_, err = producing.Subscribe(inbox+".*", func(msg *nats.Msg) {
		i, err := strconv.Atoi(msg.Subject[strings.LastIndexByte(msg.Subject, '.')+1:])
		if err != nil || !strings.Contains(string(msg.Data), `"seq"`) {
			fail(fmt.Errorf("a message was not stored: %s", msg.Data))
		}
		acks[i] = age(i)
		if ackCount++; ackCount == count {
			close(acked)
		}
	})
	if err != nil {
		return nil, err
	}
	consumer, err := consumingJS.OrderedConsumer(context.Background(), streamName,
		jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
	if err != nil {
		return nil, err
	}
	arrivalCount := 0
	reading, err := consumer.Consume(func(msg jetstream.Msg) {
		i := binary.BigEndian.Uint64(msg.Data())
		arrivals[i] = age(int(i))
		if arrivalCount++; arrivalCount == count {
			close(arrived)
		}
	})
	if err != nil {
		return nil, err
	}
	defer reading.Stop()

	values := newValuePool(job.RecordBytes)
	for i := range count {
		for age(i) < 0 {
			sleepPrecisely(-age(i))
		}
		reply := inbox + "." + strconv.Itoa(i)
		if err := producing.PublishRequest(subject, reply, values.take()); err != nil {
			return nil, err
		}
	}
	giveUp := time.After(30 * time.Second)
	for _, done := range []chan struct{}{acked, arrived} {
		select {
		case <-done:
		case <-giveUp:
			return nil, fmt.Errorf("%d messages have not all come back after 30 s", count)
		}
	}
	return map[string]any{"ack": summarize(acks[warmup:]), "endToEnd": summarize(arrivals[warmup:])}, nil
}
