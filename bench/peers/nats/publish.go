package main

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// publisher sends messages and counts the acknowledged ones. It blocks while too many are open.
type publisher interface {
	publish(value []byte) error
	acknowledged() uint64
	// finish returns when all messages are acknowledged.
	finish() error
}

// newPublisher opens the stream's fastest ways in: "fast" is fast ingest (a server of 2.14 or
// later acknowledges every few hundred messages), "atomic" is batches of 1,000 that are stored,
// and under sync_interval=always synced, as one.
func newPublisher(nc *nats.Conn, job Job) (publisher, error) {
	if job.Mode == "fsync" {
		return newAtomicPublisher(nc, job)
	}
	return newFastPublisher(nc, job.Outstanding/job.Clients)
}

// acks is what both publishers share: acknowledgements arrive on a subject of their own.
type acks struct {
	nc     *nats.Conn
	inbox  string
	count  atomic.Uint64
	failed atomic.Pointer[error]
	wake   chan struct{}
}

func newAcks(nc *nats.Conn, handle func(*nats.Msg)) (*acks, error) {
	a := &acks{nc: nc, inbox: nats.NewInbox(), wake: make(chan struct{}, 1)}
	_, err := nc.Subscribe(a.inbox+".>", func(msg *nats.Msg) {
		handle(msg)
		select {
		case a.wake <- struct{}{}:
		default:
		}
	})
	return a, err
}

func (a *acks) fail(err error) { a.failed.CompareAndSwap(nil, &err) }

// wait returns when at least `count` messages are acknowledged.
func (a *acks) wait(count uint64) error {
	if a.count.Load() >= count {
		return nil
	}
	stalled := time.NewTimer(10 * time.Second)
	defer stalled.Stop()
	for a.count.Load() < count {
		if err := a.failed.Load(); err != nil {
			return *err
		}
		select {
		case <-a.wake:
		case <-stalled.C:
			return fmt.Errorf("%d of %d messages are acknowledged after 10 s", a.count.Load(), count)
		}
	}
	return nil
}

// fastPublisher speaks fast ingest: the reply subject of each message says the batch, the wanted
// interval of acknowledgements, the message's number in it, and start (0), append (1) or
// commit (2). One batch lasts for the whole run.
type fastPublisher struct {
	*acks
	prefix      string
	sequence    uint64
	outstanding uint64
}

// fastAckMessages is how often an acknowledgement is asked for, unless fewer may be open.
const fastAckMessages = 500

func newFastPublisher(nc *nats.Conn, outstanding int) (*fastPublisher, error) {
	p := &fastPublisher{outstanding: uint64(outstanding)}
	var err error
	p.acks, err = newAcks(nc, p.onAck)
	if err != nil {
		return nil, err
	}
	interval := max(1, min(fastAckMessages, outstanding/2))
	p.prefix = fmt.Sprintf("%s.%s.%d.fail.", p.inbox, runOf(p.inbox), interval)
	return p, nil
}

// runOf is a name that no other publisher has.
func runOf(inbox string) string { return inbox[strings.LastIndexByte(inbox, '.')+1:] }

func (p *fastPublisher) onAck(msg *nats.Msg) {
	var ack struct {
		Type     string          `json:"type"`
		Sequence uint64          `json:"seq"`
		Count    uint64          `json:"count"`
		Stream   string          `json:"stream"`
		Error    json.RawMessage `json:"error"`
	}
	err := json.Unmarshal(msg.Data, &ack)
	switch {
	case err != nil || ack.Error != nil || ack.Type == "gap" || ack.Type == "err":
		p.fail(fmt.Errorf("fast ingest failed: %s", msg.Data))
	case ack.Type == "ack":
		p.count.Store(ack.Sequence)
	default: // The acknowledgement of the whole batch.
		p.count.Store(ack.Count)
	}
}

func (p *fastPublisher) publish(value []byte) error {
	operation := ".1.$FI"
	if p.sequence == 0 {
		operation = ".0.$FI"
	}
	return p.send(value, operation)
}

func (p *fastPublisher) send(value []byte, operation string) error {
	if p.sequence >= p.outstanding {
		if err := p.wait(p.sequence - p.outstanding + 1); err != nil {
			return err
		}
	}
	p.sequence++
	reply := p.prefix + strconv.FormatUint(p.sequence, 10) + operation
	return p.nc.PublishRequest(subject, reply, value)
}

func (p *fastPublisher) acknowledged() uint64 { return p.count.Load() }

func (p *fastPublisher) finish() error {
	if err := p.send([]byte("last one"), ".2.$FI"); err != nil {
		return err
	}
	return p.wait(p.sequence)
}

const (
	atomicBatchMessages = 1_000
	atomicBatchBytes    = 16 << 20
)

// atomicPublisher sends batch after batch; only the last message of each asks for an answer.
type atomicPublisher struct {
	*acks
	run         string
	sequence    uint64
	batch       uint64
	outstanding uint64
}

func newAtomicPublisher(nc *nats.Conn, job Job) (*atomicPublisher, error) {
	batch := max(1, min(atomicBatchMessages, atomicBatchBytes/job.RecordBytes))
	outstanding := job.Outstanding
	if job.Clients == 1 {
		// A batch is acknowledged as a whole: at least two must fit, or none could follow the first.
		outstanding = max(outstanding, 2*batch)
	} else {
		// A stream takes 50 batches at a time: one a client.
		batch = min(batch, max(1, outstanding/job.Clients))
		outstanding = batch
	}
	p := &atomicPublisher{batch: uint64(batch), outstanding: uint64(outstanding)}
	var err error
	p.acks, err = newAcks(nc, p.onAck)
	if err != nil {
		return nil, err
	}
	p.run = runOf(p.inbox)
	return p, nil
}

func (p *atomicPublisher) onAck(msg *nats.Msg) {
	var ack struct {
		Count uint64          `json:"count"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(msg.Data, &ack); err != nil || ack.Error != nil {
		p.fail(fmt.Errorf("an atomic batch failed: %s", msg.Data))
		return
	}
	p.count.Add(ack.Count)
}

func (p *atomicPublisher) publish(value []byte) error {
	return p.send(value, (p.sequence+1)%p.batch == 0)
}

func (p *atomicPublisher) send(value []byte, commit bool) error {
	if p.sequence >= p.outstanding {
		if err := p.wait(p.sequence - p.outstanding + 1); err != nil {
			return err
		}
	}
	batch := p.run + "-" + strconv.FormatUint(p.sequence/p.batch, 10)
	position := strconv.FormatUint(p.sequence%p.batch+1, 10)
	p.sequence++
	msg := &nats.Msg{Subject: subject, Data: value, Header: nats.Header{
		"Nats-Batch-Id":       {batch},
		"Nats-Batch-Sequence": {position},
	}}
	if commit {
		msg.Header["Nats-Batch-Commit"] = []string{"1"}
		msg.Reply = p.inbox + "." + batch
	}
	return p.nc.PublishMsg(msg)
}

func (p *atomicPublisher) acknowledged() uint64 { return p.count.Load() }

func (p *atomicPublisher) finish() error {
	if err := p.send([]byte("last one"), true); err != nil {
		return err
	}
	return p.wait(p.sequence)
}

// valuePool hands out views of random bytes, each stamped with its number. The client copies a
// value before publish returns, so one can come round again at once.
type valuePool struct {
	bytes       []byte
	recordBytes int
	count       uint64
	next        uint64
}

func newValuePool(recordBytes int) *valuePool {
	count := max(16, min(65_536, valuePoolBytes/recordBytes))
	pool := &valuePool{bytes: make([]byte, count*recordBytes), recordBytes: recordBytes, count: uint64(count)}
	_, _ = rand.Read(pool.bytes) // It ends the process where it cannot fill.
	return pool
}

const valuePoolBytes = 64 << 20

func (p *valuePool) take() []byte {
	at := int(p.next%p.count) * p.recordBytes
	value := p.bytes[at : at+p.recordBytes]
	binary.BigEndian.PutUint64(value, p.next)
	p.next++
	return value
}
