#!/bin/bash
# postern-vdeliver and postern-newv: a virtual domain's users from a table, called from .qmail-default: Maildirs that it makes,
# forwards, bounce, delete, a catch-all; a table with a fault names the line and the old one stays.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
. "$(dirname "$0")/../local.sh"

make_mailbox u1
make_queue_program
D=$T/u1
printf 'Subject: x\n\nhello\n' > "$T/message"
table() { cat > "$T/table"; as_user cp "$T/table" "$D/mailboxes"; (cd "$D" && as_user "$B/postern-newv") 2> "$T/newv"; }
inbox() { find "$D/$1" -path '*/new/*' -type f | wc -l; }
dot -default < <(echo "|PATH=$B:\$PATH; exec postern-vdeliver")

deliver 111 u1-ann - ann < "$T/message"
expect_in "$T/said" '^4\.3\.5 .*mailboxes\.cdb: it is not there; make it with postern-newv'
table <<'Q' || fail "postern-newv: $(cat "$T/newv")"
# the users of this domain
ann             ./users/ann/
Bob             ./users/bob/ &bob@example.net  quota=1M,1000C
sales           &ann@example.org &carl@example.net
spamtrap        delete
old             bounce
eve@example.com ./users/eve-com/
*@example.com   ./users/com/
*               ./users/others/
Q
deliver 0 u1-Ann - Ann < "$T/message"; expect_equal "$(inbox users/ann)" 1 "ann"
file=$(find "$D/users/ann/new" -type f)
expect_equal "$(cat "$file")" "$(printf 'Return-Path: <ann@example.net>\nDelivered-To: u1-Ann@example.org\n'; cat "$T/message")" "message"
expect_equal "${file##*,S=}" "$(stat -c %s "$file")" "size in the name"
expect_equal "$(stat -c %a "$D/users" "$D/users/ann" "$file" | tr '\n' ' ')" "700 700 600 " "modes"
nothing_queued || fail "forwarded for ann"
deliver 0 u1-bob - bob < "$T/message"; expect_equal "$(inbox users/bob)" 1 "bob"
expect_equal "$(queued)" 'Fann@example.net|Tbob@example.net||' "bob's forward"
expect_equal "$(cat "$T/queued/message")" "$(printf 'Delivered-To: u1-bob@example.org\n'; cat "$T/message")" "bob's forwarded message"
echo 53 > "$T/queue-code"
deliver 111 u1-bob - bob < "$T/message"; expect_equal "$(inbox users/bob)" 1 "bob, while the queue takes no forward"
echo 0 > "$T/queue-code"
deliver 0 u1-sales - sales < "$T/message"; expect_equal "$(queued)" 'Fann@example.net|Tann@example.org|Tcarl@example.net||' "sales"
echo 82 > "$T/queue-code"; deliver 100 u1-sales - sales < "$T/message"; expect_in "$T/said" '^5\.7\.1 '
echo 53 > "$T/queue-code"; deliver 111 u1-sales - sales < "$T/message"; expect_in "$T/said" '^4\.'
echo 0 > "$T/queue-code"
deliver 0 u1-spamtrap - spamtrap < "$T/message"
deliver 100 u1-old - old < "$T/message"; expect_in "$T/said" '^5\.1\.1 .*no mailbox here by that name$'
deliver 0 u1-nobody - nobody < "$T/message"; expect_equal "$(inbox users/others)" 1 "catch-all"
for user in eve whoever; do
  as_user "$B/postern-local" u1 "$D" u1-$user - $user example.com a@b ./Maildir/ < "$T/message" > "$T/said" || fail "$(cat "$T/said")"
done
expect_equal "$(inbox users/eve-com) $(inbox users/com)" "1 1" "addresses of another domain"
expect_equal "$(count_new)" 0 "messages in the default delivery"

# Wrong lines: named, and the old table stays.
while IFS='|' read -r line why; do
  printf 'ann ./users/ann/\n%s\n' "$line" | table && fail "taken: $line"
  expect_in "$T/newv" "^Critical: postern-newv: unable to make mailboxes\.cdb: mailboxes:2: .*$why"
done <<'Q'
bob|says nothing
bob users/bob/|neither
bob ./users/bob|neither
bob ./../bob/|neither
bob ./a/ ./b/|second directory
bob ./a/ bounce|alone
bob bounce delete|alone
bob &bob|no address
bob quota=1M &a@b|needs a directory
bob ./a/ quota=lots|no quota
bob ./a/ quota=0|no quota
Q
deliver 0 u1-spamtrap - spamtrap < "$T/message"
printf 'ann ./a/\nann ./b/\n* bounce\n' | table || fail "a doubled line is only a warning"
expect_in "$T/newv" '^Warning: .*mailboxes:2: line 1 assigns the same address'
deliver 100 u1-nobody - nobody < "$T/message"; expect_in "$T/said" '^5\.1\.1 '

# A table that others may write, or of another kind, is not believed.
as_user chmod o+w "$D/mailboxes.cdb"; deliver 111 u1-ann - ann < "$T/message"; expect_in "$T/said" '^4\.3\.5 .*others may write'
as_user sh -c "chmod 644 '$D/mailboxes.cdb'; head -c 4000 /dev/zero > '$D/mailboxes.cdb'"
deliver 111 u1-ann - ann < "$T/message"; expect_in "$T/said" '^4\.3\.5 '
