// A load of what speaks Kafka's protocol, by librdkafka: one job as words in its arguments (what they mean: bench/load/job.ts),
// the result as a line of JSON on stdout, as the bench's other load processes do. One partition, one client.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rdkafka.h"

#define TOPIC "bench"
#define PARTITION 0
#define TIMEOUT_MS 20000
#define ATTEMPTS 4
/** A job that hangs ends by itself, also when nobody is left to end it. */
#define GRACE_SECONDS 180
/** Between two looks at the clock and for delivery reports. */
#define STRIDE 256

struct job {
  const char *work;
  const char *server;
  const char *mode;
  size_t record_bytes;
  int64_t records;
  double warmup_seconds;
  double seconds;
};

static int64_t acknowledged;
static int64_t consumed;
/** Depends on every value, so that touching them cannot be left out. */
static volatile unsigned touched;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static const char *last_error(void) {
  return rd_kafka_err2str(rd_kafka_last_error());
}

/** On the clock that all processes of the machine share. */
static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static double seconds_since(int64_t from_us) {
  return (double)(now_us() - from_us) / 1e6;
}

static void emit_result(int64_t records, int64_t from_us) {
  printf("{\"event\":\"result\",\"records\":%" PRId64 ",\"fromUs\":%" PRId64 ",\"seconds\":%.6f}\n", records, from_us,
         seconds_since(from_us));
  fflush(stdout);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[512];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) fail(name, why);
}

static rd_kafka_t *open_client(rd_kafka_type_t type, rd_kafka_conf_t *conf, const struct job *job) {
  char why[512];
  set(conf, "bootstrap.servers", job->server);
  rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
  if (client == NULL) fail("no client", why);
  return client;
}

static rd_kafka_topic_t *open_topic(rd_kafka_t *client) {
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, TOPIC, NULL);
  if (topic == NULL) fail("no topic", last_error());
  return topic;
}

static rd_kafka_resp_err_t create_topic(rd_kafka_t *client, rd_kafka_NewTopic_t *wanted) {
  rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
  rd_kafka_CreateTopics(client, &wanted, 1, NULL, queue);
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
  if (event != NULL) {
    error = rd_kafka_event_error(event);
    size_t count;
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    if (!error) error = rd_kafka_topic_result_error(rd_kafka_CreateTopics_result_topics(result, &count)[0]);
    rd_kafka_event_destroy(event);
  }
  rd_kafka_queue_destroy(queue);
  return error;
}

static void ensure_topic(rd_kafka_t *client, const struct job *job) {
  char why[512];
  rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(TOPIC, 1, 1, why, sizeof why);
  if (wanted == NULL) fail("create topic", why);
  if (strcmp(job->mode, "fsync") == 0) rd_kafka_NewTopic_set_config(wanted, "flush.messages", "1");
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
  // A busy server that has just started was seen to leave this without an answer: it is asked anew, also for its controller.
  for (int i = 0; i < ATTEMPTS && error == RD_KAFKA_RESP_ERR__TIMED_OUT; i++) {
    const struct rd_kafka_metadata *metadata;
    error = rd_kafka_metadata(client, 0, NULL, &metadata, TIMEOUT_MS);
    if (error) continue;
    rd_kafka_metadata_destroy(metadata);
    error = create_topic(client, wanted);
  }
  if (error && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) fail("create topic", rd_kafka_err2str(error));
  rd_kafka_NewTopic_destroy(wanted);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client, (void)opaque;
  if (message->err) fail("a record was not stored", rd_kafka_err2str(message->err));
  acknowledged++;
}

static rd_kafka_t *open_producer(const struct job *job) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "acks", "all");
  set(conf, "linger.ms", "10");
  set(conf, "batch.size", "262144");
  // As much as the buffer.memory of Kafka's own producer, and so many records that only it bounds them.
  set(conf, "queue.buffering.max.kbytes", "32768");
  set(conf, "queue.buffering.max.messages", "1000000");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t *producer = open_client(RD_KAFKA_PRODUCER, conf, job);
  ensure_topic(producer, job);
  return producer;
}

/** Random bytes, each value with its number in front; the library copies a value before it returns. */
struct values {
  unsigned char *pool;
  size_t record_bytes;
  uint64_t count;
  uint64_t next;
};

static struct values make_values(size_t record_bytes) {
  struct values values = {.record_bytes = record_bytes, .count = 32 * 1024 * 1024 / record_bytes};
  if (values.count > 16384) values.count = 16384;
  values.pool = malloc(values.count * record_bytes);
  FILE *random = fopen("/dev/urandom", "r");
  if (values.pool == NULL || random == NULL) fail("values", "no memory, or no /dev/urandom");
  if (fread(values.pool, record_bytes, values.count, random) != values.count) fail("values", "/dev/urandom ends");
  fclose(random);
  return values;
}

static void *next_value(struct values *values) {
  unsigned char *value = values->pool + values->next % values->count * values->record_bytes;
  uint64_t number = values->next++;
  memcpy(value, &number, sizeof number);
  return value;
}

/** Returns when the library has taken the record; meanwhile its callbacks are served. */
static void send_next(rd_kafka_t *producer, rd_kafka_topic_t *topic, struct values *values) {
  void *value = next_value(values);
  while (rd_kafka_produce(topic, PARTITION, RD_KAFKA_MSG_F_COPY, value, values->record_bytes, NULL, 0, NULL) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail("produce", last_error());
    rd_kafka_poll(producer, 100);
  }
}

static void send_for(rd_kafka_t *producer, rd_kafka_topic_t *topic, struct values *values, double seconds) {
  int64_t from = now_us();
  while (seconds_since(from) < seconds) {
    for (int i = 0; i < STRIDE; i++) send_next(producer, topic, values);
    rd_kafka_poll(producer, 0);
  }
}

static void flush(rd_kafka_t *producer) {
  if (rd_kafka_flush(producer, ATTEMPTS * TIMEOUT_MS)) fail("flush", "records are left that nobody acknowledged");
}

static void produce(const struct job *job) {
  rd_kafka_t *producer = open_producer(job);
  rd_kafka_topic_t *topic = open_topic(producer);
  struct values values = make_values(job->record_bytes);
  send_for(producer, topic, &values, job->warmup_seconds);
  int64_t from = now_us();
  int64_t first = acknowledged;
  send_for(producer, topic, &values, job->seconds);
  emit_result(acknowledged - first, from);
  flush(producer);
}

static void fill(const struct job *job) {
  rd_kafka_t *producer = open_producer(job);
  rd_kafka_topic_t *topic = open_topic(producer);
  struct values values = make_values(job->record_bytes);
  int64_t from = now_us();
  for (int64_t i = 0; i < job->records; i++) {
    send_next(producer, topic, &values);
    if (i % STRIDE == 0) rd_kafka_poll(producer, 0);
  }
  flush(producer);
  emit_result(acknowledged, from);
}

static void on_record(rd_kafka_message_t *message, void *opaque) {
  (void)opaque;
  if (message->err) fail("fetch", rd_kafka_message_errstr(message));
  touched += *(const unsigned char *)message->payload;
  consumed++;
}

/** From the first record to the last, again and again. Returns how many were read. */
static int64_t read_for(rd_kafka_topic_t *topic, const struct job *job, double seconds) {
  int64_t from = now_us();
  int64_t before = consumed;
  while (seconds_since(from) < seconds) {
    int64_t start = consumed;
    if (rd_kafka_consume_start(topic, PARTITION, RD_KAFKA_OFFSET_BEGINNING) != 0) fail("fetch", last_error());
    while (consumed - start < job->records && seconds_since(from) < seconds) {
      if (rd_kafka_consume_callback(topic, PARTITION, 100, on_record, NULL) < 0) fail("fetch", last_error());
    }
    if (rd_kafka_consume_stop(topic, PARTITION) != 0) fail("fetch", last_error());
  }
  return consumed - before;
}

static void fetch(const struct job *job) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  // A fetch behind the last record would wait half a second before the next round can begin.
  set(conf, "fetch.wait.max.ms", "5");
  // The default lets a full queue run empty: no fetch is sent for a second.
  set(conf, "fetch.queue.backoff.ms", "5");
  rd_kafka_t *consumer = open_client(RD_KAFKA_CONSUMER, conf, job);
  rd_kafka_topic_t *topic = open_topic(consumer);
  read_for(topic, job, job->warmup_seconds);
  int64_t from = now_us();
  int64_t read = read_for(topic, job, job->seconds);
  if (read == 0) fail("fetch", "nothing was read");
  emit_result(read, from);
}

int main(int argc, char **argv) {
  if (argc != 8) fail("usage", "load WORK SERVER MODE RECORD_BYTES RECORDS WARMUP_SECONDS SECONDS");
  struct job job = {.work = argv[1], .server = argv[2], .mode = argv[3]};
  job.record_bytes = strtoul(argv[4], NULL, 10);
  job.records = strtoll(argv[5], NULL, 10);
  job.warmup_seconds = strtod(argv[6], NULL);
  job.seconds = strtod(argv[7], NULL);
  if (job.record_bytes < sizeof(uint64_t)) fail(argv[4], "a value has at least 8 bytes, its number");
  alarm((unsigned)(job.warmup_seconds + job.seconds) + GRACE_SECONDS);
  if (strcmp(job.work, "produce") == 0) produce(&job);
  else if (strcmp(job.work, "fill") == 0) fill(&job);
  else if (strcmp(job.work, "fetch") == 0) fetch(&job);
  else fail(job.work, "this load produces, fills and fetches");
  return 0;
}
