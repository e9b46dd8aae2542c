"""What clients do in a cluster, and at listeners that have names, advertised addresses, and TLS."""

import re
import threading

from features import Unsupported, equal, holds, job, run_feature, topic_name

# Longer than the programs let a client try.
REFUSAL_SECONDS = 30
# It does not trust the broker; the broker demands a certificate that it does not show.
UNTRUSTED = "(?i)certificate verify failed"
UNPROVEN = "(?i)certificate.required|bad.certificate"


def listener_features(told, round_trip):
    """Four features, by what a client can do at a place, a dictionary of `server` and perhaps of the files `ca`,
    `cert` and `key`. `told(place)` are the addresses of the brokers in its metadata; `round_trip(place, topic)`
    writes to its first partition, reads it and compares."""
    certificates = job["certificates"]

    def listeners():
        if job["listeners"] is None:
            raise Unsupported("the listeners are not ours to configure")
        return job["listeners"]

    def refused(place, expected, what):
        end = [f"no end within {REFUSAL_SECONDS} s", False]

        def attempt():
            try:
                end[:] = [f"it was told {told(place)}", False]
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                end[:] = [f"the error is {text[:500]}", re.search(expected, text) is not None]

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        thread.join(REFUSAL_SECONDS)
        holds(end[1], f"{what}: {end[0]}")

    def three_brokers():
        if job["cluster"] is None:
            raise Unsupported("the server has no cluster beside it")
        servers = job["cluster"]["servers"]
        for server in servers:
            equal(sorted(told({"server": server})), sorted(servers), f"what was told at {server}")
        for each in job["cluster"]["topics"]:
            round_trip({"server": each["server"]}, each["topic"])

    def named():
        for number, listener in enumerate(listeners()["named"]):
            place = {"server": listener["server"]}
            equal(told(place), [listener["advertised"]], f"what was told at {place['server']}")
            round_trip(place, topic_name(f"listeners-{number}"))

    def tls():
        place = {"server": listeners()["tls"], "ca": certificates["ca"]}
        equal(told(place), [place["server"]], "what was told")
        round_trip(place, topic_name("tls"))
        refused({**place, "ca": certificates["otherCa"]}, UNTRUSTED, "with another authority")

    def mutual_tls():
        place = {"server": listeners()["mutualTls"], "ca": certificates["ca"]}
        proven = {**place, **certificates["client"]}
        equal(told(proven), [place["server"]], "what was told")
        round_trip(proven, topic_name("mutual-tls"))
        refused(place, UNPROVEN, "without a certificate")
        # Not every server says why it hangs up.
        refused({**place, **certificates["stranger"]}, ".", "with a certificate of another authority")

    run_feature("three brokers", three_brokers)
    run_feature("named listeners", named)
    run_feature("TLS", tls)
    run_feature("mutual TLS", mutual_tls)
