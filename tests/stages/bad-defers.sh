#!/bin/sh
# fails: answers-ordinary-mail
# It defers everything.
exit 111
