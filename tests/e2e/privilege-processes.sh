#!/bin/bash
# needs: root
# Every process of a running instance has the user of its job, its group alone, and no way back to root; sockets and directories
# belong to whom the design says.
. "$(dirname "$0")/../lib.sh"
make_signatures
start_instance --local home.example --user alice --clamdb "$T/clamdb"
# With a connection open, a session is there too.
exec 9<> "/dev/tcp/127.0.0.1/$PORT"
read -rt 10 greeting <&9
[[ $greeting = 220* ]] || fail "greeting: $greeting"

python3 - "$POSTERN_HOME" <<'P' || fail "see above"
import grp, os, pwd, sys
home = sys.argv[1]
OWNER = {"postern-smtpd": "posternd", "postern-scanq": "posterns", "postern-queue": "posternq", "postern-send": "posternq", "postern-workq": "posternq",
         "postern-rspawn": "posternr", "postern-callahead": "posternr", "postern-userq": "posternu", "postern-remote": "posternr", "postern-dnsq": "posternn", "postern-antivirus": "posternv",
         "postern-quarantine": "posterno", "multilog": "posternl", "postern-pickup": "posternp",
         "postern-clamserver": "posternc", "postern-stsd": "posternh", "postern-tlsrpt": "posterne", "postern-signq": "posterng", "postern-tlsd": "posternk",
         "postern-rated": "posterny", "postern-repd": "posternz", "postern-access": "posternj", "postern-ldapq": "posternx", "postern-authq": "posterni",
         "postern-lspawn": "root", "supervise": "root", "svscan": "root", "postern-bind": "root"}
seen, wrong = {}, []
def of_instance(pid):
    try:
        environ = open("/proc/%s/environ" % pid, "rb").read().split(b"\0")
        return b"POSTERN_HOME=" + home.encode() in environ
    except OSError:
        return False
for pid in filter(str.isdigit, os.listdir("/proc")):
    if not of_instance(pid): continue
    try:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/%s/status" % pid) if ":\t" in line)
        name = os.path.basename(os.readlink("/proc/%s/exe" % pid))
    except OSError:
        continue
    if name not in OWNER:
        if name in ("bash", "python3", "python3.11", "dash") or int(pid) == os.getpid(): continue
        wrong.append("%s: nobody knows %s" % (pid, name))
        continue
    user = OWNER[name]
    seen.setdefault(name, 0)
    seen[name] += 1
    uids, gids, groups = set(status["Uid"].split()), set(status["Gid"].split()), status["Groups"].split()
    if uids != {str(pwd.getpwnam(user).pw_uid)}: wrong.append("%s %s: uids %s" % (pid, name, uids))
    if user == "root": continue
    if gids != {str(grp.getgrnam("postern").gr_gid)}: wrong.append("%s %s: gids %s" % (pid, name, gids))
    if set(groups) - gids: wrong.append("%s %s: groups %s" % (pid, name, groups))
    if int(status["CapEff"], 16) | int(status["CapPrm"], 16): wrong.append("%s %s: capabilities" % (pid, name))
for name in set(OWNER) - set(seen) - {"postern-remote", "postern-bind"}: wrong.append("no %s runs" % name)
for name, owner in {"queue": "posternq", "work": "posternq", "scanq": "posterns", "lspawn": "root", "rspawn": "posternr", "dnsq": "posternn", "antivirus": "posternv",
                    "quarantine": "posterno", "pickup": "posternp", "clamd": "posternc", "stsd": "posternh", "tlsrpt": "posterne", "signq": "posterng", "tlsd": "posternk",
                    "rated": "posterny", "repd": "posternz", "access": "posternj", "callahead": "posternr", "userq": "posternu", "ldapq": "posternx", "authq": "posterni"}.items():
    s = os.stat("%s/run/%s" % (home, name))
    mode = 0o666 if name in ("pickup", "clamd") else 0o600 if name == "tlsd" else 0o660  # tlsd has no certificate
    if (pwd.getpwuid(s.st_uid).pw_name, grp.getgrgid(s.st_gid).gr_name, s.st_mode & 0o7777) != (owner, "postern", mode):
        wrong.append("run/%s: %d:%d %o" % (name, s.st_uid, s.st_gid, s.st_mode))
for name, owner, mode in [("queue", "posternq", 0o700), ("work", "posternq", 0o700), ("quarantine", "posterno", 0o700), ("db/quarantine", "posterno", 0o700), ("db/sts", "posternh", 0o755), ("db/tlsrpt", "posterne", 0o750),
                          ("db/rated", "posterny", 0o700), ("db/repd", "posternz", 0o700),
                          ("secrets", "root", 0o711), ("secrets/posternr", "posternr", 0o700), ("secrets/posternk", "posternk", 0o700), ("secrets/posternx", "posternx", 0o700), ("secrets/posterni", "posterni", 0o700),
                          ("run", "root", 0o755), ("control", "root", 0o755), ("service", "root", 0o755), ("users", "root", 0o755),
                          ("mail/alice", "posternm", 0o700), ("log/send", "posternl", 0o755)]:
    s = os.stat("%s/%s" % (home, name))
    if (pwd.getpwuid(s.st_uid).pw_name, s.st_mode & 0o7777) != (owner, mode): wrong.append("%s: %d %o" % (name, s.st_uid, s.st_mode))
for top, _, files in os.walk(home):
    for file in files:
        if top.endswith("/run") and file in ("pickup", "clamd"): continue
        mode = os.lstat(os.path.join(top, file)).st_mode
        if mode & 0o6000 or (mode & 0o002 and not os.path.islink(os.path.join(top, file))): wrong.append("%s/%s: mode %o" % (top, file, mode))
print(seen)
for line in wrong: print(line)
sys.exit(1 if wrong else 0)
P
exec 9>&-
# No program is set-uid.
expect_equal "$(find "$B" -perm /6000)" "" "set-uid programs"
