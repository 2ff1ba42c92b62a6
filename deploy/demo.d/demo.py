"""The demo: one year of the stream on one machine, in a minute. All people in it are invented."""
import argparse
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster  # noqa: E402
import people  # noqa: E402

WORDS = {
    "build": ("Building", "Compilation"),
    "keys": ("Making keys and the registry", "Création des clés et du registre"),
    "start": ("Starting the processes", "Démarrage des processus"),
    "submit": ("Submitting the sample referrals", "Présentation des demandes d’exemple"),
    "officers": ("The officers acknowledge, compare, review and decide",
                 "Les agents répondent, comparent, examinent et décident"),
    "quiet": ("Waiting until all is quiet", "Attente que tout soit calme"),
    "check": ("Checking the invariants", "Vérification des invariants"),
    "stop": ("Stopping", "Arrêt"),
}


class Arguments(argparse.ArgumentParser):
    def error(self, message):
        """Ends as every program of Havre does when its command line is wrong."""
        self.exit(64, f"{self.prog}: {message}\n")


def arguments():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    p = Arguments(prog="deploy/demo", add_help=False)
    p.add_argument("--once", action="store_true")
    p.add_argument("--lang", choices=("en", "fr"), default="en")
    p.add_argument("--home", default=os.environ.get("HAVRE_HOME") or os.path.join(root, ".havre"))
    a = p.parse_args()
    a.root = root
    a.home = os.path.abspath(a.home)
    return a


def summary(report):
    """The one JSON object: every number is counted from the stores."""
    keys = ("referrals", "accepted", "rejected", "persons", "places", "waitlisted_persons",
            "urgent_raised", "urgent_acknowledged", "notices_delivered", "duplicates_held")
    out = {k: report["counts"][k] for k in keys}
    out["places"] = {k: out["places"][k] for k in ("cap", "reserved", "consumed", "free")}
    out["invariants"] = report["invariants"]
    return out


STORY = (
    ("{referrals} referrals: {accepted} registered at once, {duplicates_held} were held as likely duplicates, "
     "{rejected} rejected; {persons} persons.",
     "{referrals} demandes : {accepted} enregistrées d’emblée, {duplicates_held} retenues comme doublons "
     "probables, {rejected} rejetées; {persons} personnes."),
    ("Places: {cap} a year, {reserved} reserved, {consumed} consumed, {free} free; "
     "{waitlisted_persons} persons on the waiting list.",
     "Places : {cap} par année, {reserved} réservées, {consumed} utilisées, {free} libres; "
     "{waitlisted_persons} personnes en liste d’attente."),
    ("Urgent: {urgent_raised} raised, {urgent_acknowledged} acknowledged. "
     "Notices delivered: {notices_delivered}. Invariants: {invariants}.",
     "Urgences : {urgent_raised} signalées, {urgent_acknowledged} prises en charge. "
     "Avis remis : {notices_delivered}. Invariants : {invariants}."),
)
NEXT = (
    ("What to type next, in another terminal:", "À taper ensuite, dans un autre terminal :"),
    "  export PATH={bin}:$PATH",
    "  havre-staff --home {home}/officer-1 --passphrase-file {home}/officer-1/passphrase watch",
    "  havre-staff --home {home}/officer-2 --passphrase-file {home}/officer-2/passphrase queue",
    "  havre --home {home}/partner-a status",
    "  havre --home {home}/partner-a inbox",
    "  havre-admin verify --homes {home}",
    "  havre-admin health --homes {home}",
    ("E-mails of the relay: {home}/mail   webhook calls: {home}/webhook   logs: {home}/log",
     "Courriels du relais : {home}/mail   appels webhook : {home}/webhook   journaux : {home}/log"),
    ("Ctrl-C stops everything.", "Ctrl-C arrête tout."),
)


def tell(text, lang, **values):
    if isinstance(text, tuple):
        text = text[lang == "fr"]
    print(text.format(**values), flush=True)


def run(a, progress):
    c = cluster.Cluster(a.root, a.home)
    with progress("build"):
        c.build()
    with progress("keys"):
        c.set_up()
    try:
        with progress("start"):
            c.start()
        with progress("submit"):
            people.submit_samples(c, os.path.join(a.root, "tests", "data"))
        with progress("officers"):
            people.officers_work(c)
        with progress("quiet"):
            c.wait_quiet()
        with progress("check"):
            out = summary(c.verify())
        places = out["places"]
        for line in STORY:
            tell(line, a.lang, **{**out, **places})
        if a.once:
            print(flush=True)
        else:
            for line in NEXT:
                tell(line, a.lang, bin=c.bin, home=a.home)
            signal.pause()
        return out
    finally:
        with progress("stop"):
            c.stop()


def main():
    a = arguments()
    out = None

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    try:
        out = run(a, cluster.progress(WORDS, a.lang))
    except KeyboardInterrupt:
        return 0
    except cluster.Failed as e:
        print(e, file=sys.stderr)
        return 70
    print(json.dumps(out), flush=True)
    return 0 if out["invariants"] == "ok" else 70


if __name__ == "__main__":
    sys.exit(main())
