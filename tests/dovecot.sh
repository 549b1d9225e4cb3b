# A real mailbox server for tests, without privileges: start_dovecot ADDRESS PORT has it listen for LMTP there and on the socket
# $T/dovecot/lmtp; delivered mail of USER@… is in $T/dovecot/mail/USER (delivered USER [FOLDER]: its messages), its log $T/dovecot.log.
# Mail to a user named nobody is refused. doc/samples/spam-to-junk.sieve is in force.

start_dovecot() {
  need dovecot
  local d=$T/dovecot as=() user group
  mkdir -p "$d/run" "$d/state" "$d/mail" "$d/sieve"
  cp "$TESTS/../doc/samples/spam-to-junk.sieve" "$d/sieve/"
  user=$(id -un) group=$(id -gn)
  if [ "$(id -u)" = 0 ]; then
    user=nobody group=nogroup
    as=(setpriv --reuid nobody --regid nogroup --clear-groups)
    chown -R nobody:nogroup "$d"
  fi
  cat > "$d/conf" <<C
base_dir = $d/run
state_dir = $d/state
log_path = $d/log
protocols = lmtp
ssl = no
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
first_valid_uid = 1
mail_location = maildir:$d/mail/%n
lda_mailbox_autocreate = yes
userdb {
  driver = passwd-file
  args = username_format=%n $d/users
}
passdb {
  driver = passwd-file
  args = username_format=%n $d/users
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service lmtp {
  chroot =
  unix_listener $d/lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    address = $1
    port = $2
  }
}
protocol lmtp {
  mail_plugins = sieve
}
plugin {
  sieve_before = $d/sieve/spam-to-junk.sieve
}
C
  for name in alice bob carol; do
    echo "$name:{PLAIN}x:$(id -u "$user"):$(id -g "$user")::$d/mail/$name::"
  done > "$d/users"
  start dovecot "${as[@]}" dovecot -F -c "$d/conf"
  wait_for 30 listening "$2" "$1"
}
delivered() { find "$T/dovecot/mail/$1/${2:+.$2/}"new -type f 2> /dev/null; }
