"""From the figures of each round to the JSON object and the tables."""
import json
import os
import platform
import statistics
import subprocess

from peers import PROMISES

TIE = 1.2  # a lead of less than a fifth is none


def machine(folder):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":", 1)[1].strip() for line in f
                      if line.startswith("model name")), platform.machine())
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True,
                          check=True).stdout.strip()
    return {"cores": len(os.sched_getaffinity(0)), "cpu": model, "kernel": platform.release(),
            "filesystem": kind, "load": round(os.getloadavg()[0], 2)}


def spread(values):
    return {"median": round(statistics.median(values), 1), "low": round(min(values), 1),
            "high": round(max(values), 1)}


def summary(rounds, ratio_of):
    """rounds: of each round, {peer: {figure: number}}. A ratio is of two figures of one round."""
    peers = {peer: {figure: spread([r[peer][figure] for r in rounds]) for figure in figures}
             for peer, figures in rounds[0].items()}
    ratios = {}
    for peer in peers:
        if peer == "havre":
            continue
        each = [r["havre"][ratio_of] / r[peer][ratio_of] for r in rounds]
        median = statistics.median(each)
        ratios[peer] = {"median": round(median, 3), "low": round(min(each), 3),
                        "high": round(max(each), 3), "tie": 1 / TIE < median < TIE}
    return {"peers": peers, "ratio_of": ratio_of, "havre_to": ratios}


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def ranged(s):
    return f"{number(s['median'])} ({number(s['low'])}–{number(s['high'])})"


def ratio(r):
    return f"{r['median']:.2f} ({r['low']:.2f}–{r['high']:.2f})" + (", a tie" if r["tie"] else "")


def table(head, rows):
    """A Markdown table that can be read as it is."""
    width = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    line = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, width)) + " |"
            for row in [head, *rows]]
    return "\n".join([line[0], "|" + "|".join("-" * (w + 2) for w in width) + "|", *line[1:]])


def throughput_table(cells):
    rows = []
    for cell in cells:
        for peer, f in cell["peers"].items():
            against = cell["havre_to"].get(peer)
            rows.append([str(cell["partners"]), peer, ranged(f["acks_per_s"]),
                         ratio(against) if against else "",
                         number(f["p50_us"]["median"]), number(f["p99_us"]["median"]),
                         ranged(f["verified_per_s"]), number(f["server_cpu_us"]["median"])])
    return table(["partners", "carrier", "acks/s", "havre to it", "p50 µs", "p99 µs",
                  "read and verified/s", "server CPU µs a message"], rows)


def urgent_table(urgent):
    rows = []
    for peer, f in urgent["peers"].items():
        against = urgent["havre_to"].get(peer)
        rows.append([peer, *(number(f[k]["median"] / 1000) for k in
                             ("ack_p50_us", "p50_us", "p99_us", "most_us")),
                     ratio(against) if against else ""])
    return table(["carrier", "acknowledged, p50 ms", "alert, p50 ms", "alert, p99 ms",
                  "alert, longest ms", "havre to it (p50)"], rows)


def promise_table(peers):
    rows = [[words, *("yes" if key in p["promises"] else "no" for p in peers.values())]
            for key, words in PROMISES.items()]
    return table(["promised", *peers], rows)


def markdown(r):
    m, s, u = r["machine"], r["settings"], r["urgent"]
    peers = ", ".join(f"{name} {p['version']}" for name, p in r["peers"].items())
    return f"""{r['at'][:10]}, {peers}, {s['build']}. {m['cores']} cores ({m['cpu']}), Linux \
{m['kernel']}, {m['filesystem']}, load {m['load']} before it began. In the same run: fdatasync of \
4 KiB {m['fdatasync_us']} µs, Ed25519 signing {m['ed25519_sign_us']} µs, verifying \
{m['ed25519_verify_us']} µs, all that a reader does with one envelope {m['read_envelope_us']} µs. \
Medians of {s['rounds']} rounds (lowest–highest).

Durable acknowledgements, one message in flight for each partner, envelopes of \
{s['envelope_bytes']} bytes:

{throughput_table(r['throughput'])}

From the post of an urgent referral to its alert, verified and opened at the officer; \
{u['referrals']} referrals a round, one every 100 ms:

{urgent_table(u)}

{promise_table(r['peers'])}
"""


def as_json(r):
    return json.dumps(r, ensure_ascii=False)
