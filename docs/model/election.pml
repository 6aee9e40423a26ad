/*
 * A model of what protects the history: the election of a leader, the fenced
 * commit, and the new incarnation with its barrier after a loss.
 *
 * README.md says what is covered and how to run it. Each part below names the
 * file that it stands for. What the model makes simpler is marked "Abstraction".
 *
 * Abstraction: time. Nothing here has a duration: any step can be delayed for
 * as long as you like, and the leader's lease can run out at any moment. So a
 * pause longer than a lease needs no step of its own: the others take theirs.
 *
 * Abstraction: sizes. A batch counts as one record, and takes one intent: the
 * script appends it as a whole or not at all.
 */

/* ---- Sizes ------------------------------------------------------------- */

#ifndef ARBITERS
#define ARBITERS 2
#endif
#ifndef WINS
#define WINS 3         /* campaigns that are won */
#endif
#ifndef FAULTS
#define FAULTS 1       /* losses, restarts and the like of Redis */
#endif
#ifndef ENTRIES
#define ENTRIES 3      /* places in the inbox */
#endif

/* LOSSES_ONLY: nothing but losses goes wrong with Redis and the network, so that
 * there can be more of them. Commits are not delayed, and no process goes on
 * with other data. */

/* When commit.lua compares the life of the process with that in the head:
 * 2: always, 1: in the first commit of a leadership, 0: never. */
#ifndef COMMIT_LIFE
#define COMMIT_LIFE 2
#endif

/* Narrow variables make small states. append() checks that no sequence outgrows
 * its width; WINS and ENTRIES bound the other numbers. */
#define NUMBER(x) unsigned x : 3  /* of a leadership, an incarnation, an epoch, an entry … */
#define SEQ(x)    unsigned x : 4
#define LEDGER(x) unsigned x : 5
#define TAKEN(x)  unsigned x : 4  /* a set of entries */
#define WHO(x)    unsigned x : 2  /* a set of containers */

#define BIT(n)    (1 << (n))
#define UPTO(n)   (BIT(n) - 1)    /* the entries 1 to n, as a set */
#define AFTER(n)  (~UPTO(n))

/* ---- Redis: the data --------------------------------------------------- */

typedef Data {
	/* The hash "head". Abstraction: a hash is the number of the leadership that
	 * wrote the record. With the sequence that names the record, because no
	 * leader makes two batches on one base. 0 is the empty hash. An incarnation
	 * is the number of the leadership that began it, instead of a random one;
	 * 0: there is no head. */
	NUMBER(inc); NUMBER(epoch); SEQ(seq); NUMBER(hash); NUMBER(cursor); NUMBER(life);

	/* The stream "grants", the history. Only its end matters to the scripts.
	 * The ledger after the last record stands for what can be derived from all
	 * of them. */
	SEQ(t_seq); NUMBER(t_inc); NUMBER(t_hash); LEDGER(t_ledger);
	TAKEN(t_taken);    /* entries of the inbox in the history of this incarnation */
	TAKEN(t_all);      /* and of all incarnations */

	NUMBER(appended);  /* entries in the stream "intents", the inbox */
#ifdef LIVE
	NUMBER(leader);    /* the key "leader"; 0: none */
#endif
};

Data r;                /* as it is */
Data d;                /* as it will be after a loss: a file, or a replica that is behind */
bit saved;             /* d is there */

byte inbox[ENTRIES];   /* entry n is inbox[n - 1]; d has the first ones of them */

/* ---- Redis: the memory of the process ---------------------------------- */

unsigned life : 3 = 1; /* run_id and master_replid, as one number */
byte known;            /* the commit scripts: a set of leaderships */

unsigned faults : 2;   /* so far */
bit quiet;             /* nothing goes wrong any more: only in the run for liveness */

/* The leader's key protects nothing, so the runs for safety do without it: the
 * lease can run out at any moment, therefore anybody can win at any moment. */
#ifdef LIVE
#define MAY_WIN(a)    ((r.leader == 0 || r.leader == a) && (quiet || wins < WINS - 3))
#define SET_LEADER(a) r.leader = a
#else
#define MAY_WIN(a)    true
#define SET_LEADER(a) skip
#endif

/* ---- What must hold ---------------------------------------------------- */

/* The claims; the numbers are those of docs/architecture.md. ONLY=n checks one of
 * them alone, to see what a fault comes to in the end. */
#if !defined(ONLY) || ONLY == 1
#define I1(x) assert(x)
#else
#define I1(x) skip
#endif
#if !defined(ONLY) || ONLY == 2
#define I2(x) assert(x)
#else
#define I2(x) skip
#endif
#if !defined(ONLY) || ONLY == 4
#define I4(x) assert(x)
#else
#define I4(x) skip
#endif

/* ---- What only the model knows ----------------------------------------- */

NUMBER(wins);          /* leaderships so far */

/* Of each leadership: what it was issued. */
typedef Issued { NUMBER(inc); NUMBER(epoch) };
Issued was[WINS + 1];

/* Of each incarnation: its end as it ever was, which no loss takes back; and who
 * held something when its barrier began. */
typedef Incarnation { SEQ(seq); NUMBER(hash); WHO(holders) };
Incarnation past[WINS + 1];

/* Scratch of a single step. (A search breadth first cannot do with hidden ones.) */
#ifdef TRACE
#define SCRATCH
#else
#define SCRATCH hidden
#endif
SCRATCH byte i;
SCRATCH byte fresh;

/* ---- Containers: what they may hold ------------------------------------ */

/* Two containers share one connection. may[c] is the incarnation of the grant by
 * which c may hold it, from the moment at which it is published; 0: none. */
byte may[2];
bit ended[2];          /* its lease came to its end */
bit asked;             /* container 0 has asked: it is the first, without loss of generality */

/* What they say: "I want one" and, after a loss, "I have one". */
#define ASK(c)  (1 + c)
#define HAVE(c) (3 + c)

/* ---- The ledger -------------------------------------------------------- */

/* Who is charged, who waits, and whether the barrier is closed. */
#define CHARGED(c) (1 << c)
#define WAITS(c)   (4 << c)
#define BARRIER    16

/* An arbiter. */
typedef Arbiter {
	unsigned role : 3;
	NUMBER(g);                               /* its leadership */
	SEQ(seq); NUMBER(hash); NUMBER(cursor);  /* the end of the history, as it knows it */
	LEDGER(ledger); TAKEN(taken);            /* and the ledger there */
	bit begun;                               /* the campaign began an incarnation */

	/* The batch that is pending: what is there after it, and its mail. */
	NUMBER(to); LEDGER(n_ledger); TAKEN(n_taken); WHO(n_mail); bit n_resign
};
Arbiter a[ARBITERS + 1];

#define FOLLOWS 0
#define WON     1      /* the campaign; its script is not loaded */
#define LOADED  2      /* the script; the history is not read to its end */
#define LEADS   3
#define PENDING 4      /* leads, and a batch is not known to be committed */

#define my a[me]

/* A container is given the connection. */
inline give(c) {
	my.n_ledger = (my.n_ledger | CHARGED(c)) & ~WAITS(c);
	my.n_mail = my.n_mail | CHARGED(c)
}

/* ledger.Apply of one intent: who has a connection keeps it, also behind the
 * barrier; who wants one waits. */
inline take(intent) {
	if
	:: intent == HAVE(0) -> give(0)
	:: intent == HAVE(1) -> give(1)
	:: intent == ASK(0) && !(my.n_ledger & CHARGED(0)) -> my.n_ledger = my.n_ledger | WAITS(0)
	:: intent == ASK(1) && !(my.n_ledger & CHARGED(1)) -> my.n_ledger = my.n_ledger | WAITS(1)
	:: else
	fi
}

/* ledger.reallocate: who waits grows into what nobody is charged for, but not
 * behind the barrier. */
inline reallocate() {
	if
	:: my.n_ledger & (BARRIER | CHARGED(0) | CHARGED(1))
	:: else ->
		if
		:: my.n_ledger & WAITS(0) -> give(0)
		:: !(my.n_ledger & WAITS(0)) && (my.n_ledger & WAITS(1)) -> give(1)
		:: else
		fi
	fi
}

/* ---- campaign.lua ------------------------------------------------------ */

/* The arbiter that wins. Its lease, if it had one, is over. */
inline campaign_lua(arbiter) {
	wins++;
	fresh = (r.inc == 0 || r.t_seq != r.seq);
#ifndef NEVER_BEGUN_OFF
	fresh = fresh || r.hash == 0; /* whoever began this incarnation never said so */
#endif
#ifndef CAMPAIGN_LIFE_OFF
	fresh = fresh || r.life != life;
#endif
#if defined(EPOCH_KEPT)
	r.epoch = (r.epoch == 0 -> 1 : r.epoch);
#elif defined(EPOCH_FROM_MEMORY)
	led[arbiter]++;
	r.epoch = led[arbiter];
#else
	r.epoch++;
#endif
	if
	:: fresh ->
#ifdef INCARNATION_KEPT
		r.inc = (r.inc == 0 -> wins : r.inc);
#else
		r.inc = wins;
#endif
		r.seq = r.t_seq; r.hash = 0
	:: else
	fi;
	r.life = life;
	SET_LEADER(arbiter);
	was[wins].inc = r.inc; was[wins].epoch = r.epoch;
	printf("arbiter %d wins leadership %d: incarnation %d, epoch %d, after record %d\n", arbiter, wins, r.inc, r.epoch, r.seq);

	/* No pair of incarnation and epoch is issued twice. */
	i = 1;
	do
	:: i < wins -> I2(was[i].inc != r.inc || was[i].epoch < r.epoch); i++
	:: else -> break
	od
}

#ifdef EPOCH_FROM_MEMORY
byte led[ARBITERS + 1];
#endif

/* ---- commit.lua -------------------------------------------------------- */

mtype = { FENCED, DIVERGED, AGAIN, OK };
SCRATCH mtype reply;

#define PRESENT(g) (was[g].inc == r.inc && was[g].epoch == r.epoch)

#ifdef SCRIPT_SHARED     /* one script for all, loaded again where it is not known */
#define KNOWN(g) true
#else
#define KNOWN(g) (known & BIT(g))
#endif

#ifdef FENCE_OFF
#define FENCE(g) true
#else
#define FENCE(g) PRESENT(g)
#endif

#if COMMIT_LIFE == 2
#define SAME_LIFE(g, base) (life == r.life)
#elif COMMIT_LIFE == 1
#define SAME_LIFE(g, base) (life == r.life || base == g)
#else
#define SAME_LIFE(g, base) true
#endif

#ifdef EXTEND_LIFE_OFF   /* extend.lua */
#define EXTEND_LIFE true
#else
#define EXTEND_LIFE (life == r.life)
#endif

#ifdef AGAIN_OFF
#define SEEN(g, b_seq) false
#else
#define SEEN(g, b_seq) (r.seq == b_seq + 1 && r.hash == g)
#endif

#if defined(BASE_OFF)
#define BASE(b_seq, b_hash, b_cursor) true
#elif defined(CURSOR_APART)
#define BASE(b_seq, b_hash, b_cursor) (r.seq == b_seq && r.hash == b_hash)
#else
#define BASE(b_seq, b_hash, b_cursor) (r.seq == b_seq && r.hash == b_hash && r.cursor == b_cursor)
#endif

/* The batch of leadership b_g on the base (b_seq, b_hash, b_cursor). Its hash is
 * b_g, its sequence the next one. */
inline commit_lua(b_g, b_seq, b_hash, b_cursor, b_to, b_ledger, b_taken, b_mail, b_resign) {
	if
	:: !KNOWN(b_g)             -> reply = FENCED     /* NOSCRIPT */
	:: KNOWN(b_g) && !(FENCE(b_g) && SAME_LIFE(b_g, b_hash)) -> reply = FENCED
	:: KNOWN(b_g) && FENCE(b_g) && SAME_LIFE(b_g, b_hash) ->
		if
		:: SEEN(b_g, b_seq) -> reply = AGAIN
		:: !SEEN(b_g, b_seq) && !BASE(b_seq, b_hash, b_cursor) -> reply = DIVERGED
		:: !SEEN(b_g, b_seq) && BASE(b_seq, b_hash, b_cursor) ->
			append(b_g, b_seq, b_hash, b_cursor, b_to, b_ledger, b_taken, b_mail, b_resign);
			reply = OK
		fi
	fi;
	printf("commit of record %d by leadership %d: %e\n", b_seq + 1, b_g, reply)
}

/* The writes of commit.lua, and what must hold with them. */
inline append(b_g, b_seq, b_hash, b_cursor, b_to, b_ledger, b_taken, b_mail, b_resign) {
	/* A record enters only under the present incarnation and epoch. */
	I2(PRESENT(b_g));
	/* An incarnation is one chain. Each record builds on the newest that the
	 * incarnation ever had, wherever a loss has put the end of the stream; or it
	 * is that record, once more. */
	I2((past[r.inc].hash == b_hash && (b_hash == 0 || past[r.inc].seq == b_seq)) ||
		(past[r.inc].hash == b_g && past[r.inc].seq == b_seq + 1));
	I2(r.t_seq == b_seq);
	assert(b_seq < 15);
	/* An entry counts once in an incarnation. */
	if
	:: r.t_inc != r.inc -> r.t_taken = 0
	:: else
	fi;
	I4(!(r.t_taken & UPTO(b_to) & AFTER(b_cursor)));

	r.t_seq = b_seq + 1; r.t_inc = was[b_g].inc; r.t_hash = b_g; r.t_ledger = b_ledger; r.t_taken = b_taken;
	r.t_all = r.t_all | (UPTO(b_to) & AFTER(b_cursor));
	past[r.t_inc].seq = b_seq + 1; past[r.t_inc].hash = b_g;
	r.seq = b_seq + 1; r.hash = b_g;
#ifndef CURSOR_APART
	r.cursor = b_to;
#endif
	/* What the cursor has passed is in the history. */
	I4(!(UPTO(r.cursor) & ~r.t_all));
#ifndef MAIL_FIRST
	publish(b_mail, r.inc);
#endif
	if
	:: b_resign -> SET_LEADER(0)
	:: else
	fi
}

/* SET and PUBLISH of mailboxes. A container whose lease has ended does not get it
 * back by an answer to what it said before: a lease counts from the sending of
 * the intent. */
inline publish(p_mail, p_inc) {
	if
	:: (p_mail & CHARGED(0)) && !ended[0] -> may[0] = p_inc;
		printf("container 0 may hold the connection, by incarnation %d\n", p_inc)
	:: else
	fi;
	if
	:: (p_mail & CHARGED(1)) && !ended[1] -> may[1] = p_inc;
		printf("container 1 may hold the connection, by incarnation %d\n", p_inc)
	:: else
	fi;
	/* I1, and I8 with it: what containers may hold stays within the limit. */
	I1(may[0] == 0 || may[1] == 0)
}

/* ---- The network ------------------------------------------------------- */

/* A commit that is on its way while its sender has given up waiting: it comes at
 * any time, to whatever process is Redis then, or never. */
typedef Wire {
	NUMBER(g); SEQ(seq); NUMBER(hash); NUMBER(cursor);
	NUMBER(to); LEDGER(ledger); TAKEN(taken); WHO(mail); bit resign
};
Wire w;

inline forget_wire() {
	w.g = 0; w.seq = 0; w.hash = 0; w.cursor = 0; w.to = 0; w.ledger = 0; w.taken = 0; w.mail = 0; w.resign = 0
}

/* ---- A shortcut -------------------------------------------------------- */

/* A leadership that is neither the head's nor the image's is over for ever, and
 * an incarnation likewise: all that a leader of it still can do is to be fenced.
 * It is forgotten at once, which keeps the states few. Runs of variants, and one
 * run of the good model, do without this (NO_SHORTCUT). */
#define OVER(g_) (!PRESENT(g_) && !(saved && was[g_].inc == d.inc && was[g_].epoch == d.epoch))

inline forget() {
#ifndef NO_SHORTCUT
	i = 1;
	do
	:: i <= ARBITERS ->
		if
		:: a[i].role != FOLLOWS && OVER(a[i].g) -> printf("leadership %d is over\n", a[i].g); drop(i)
		:: else
		fi;
		i++
	:: else -> break
	od;
	if
	:: w.g != 0 && OVER(w.g) -> forget_wire()
	:: else
	fi;
	i = 1;
	do
	:: i <= wins ->
		if
		:: OVER(i) -> known = known & ~BIT(i)
		:: else
		fi;
		if
		:: i != r.inc && !(saved && i == d.inc) -> past[i].seq = 0; past[i].hash = 0; past[i].holders = 0
		:: else
		fi;
		i++
	:: else -> break
	od;
#endif
	i = 0
}

/* ---- Arbiters ---------------------------------------------------------- */

inline forget_batch(x) {
	a[x].to = 0; a[x].n_ledger = 0; a[x].n_taken = 0; a[x].n_mail = 0; a[x].n_resign = 0
}

/* Arbiter.drop, or a crash and a restart: nothing is remembered. */
inline drop(x) {
	a[x].role = FOLLOWS;
	a[x].g = 0; a[x].seq = 0; a[x].hash = 0; a[x].cursor = 0; a[x].ledger = 0; a[x].taken = 0; a[x].begun = 0;
	forget_batch(x)
}

/* A batch on the present end of the history; then it is pending. */
inline new_batch() {
	my.n_ledger = my.ledger; my.n_taken = my.taken; my.to = my.cursor
}

inline seal() {
#ifdef MAIL_FIRST
	publish(my.n_mail, was[my.g].inc);
#endif
	my.role = PENDING
}

/* Whether the lease of container c, if the barrier of the incarnation waits for
 * it, is over or is of this incarnation now. */
#define SETTLED(c) (!(past[was[my.g].inc].holders & CHARGED(c)) || may[c] == 0 || may[c] == was[my.g].inc)

proctype arbiter(byte me) {
end:	do
	/* follow: Campaign. A campaign whose reply is lost, or that comes late, is
	 * one after which the arbiter crashes: it campaigns again, and wins again.
	 * Arbiter 1 wins first, without loss of generality. */
	:: d_step { my.role == FOLLOWS && MAY_WIN(me) && wins < WINS && (wins > 0 || me == 1) ->
		campaign_lua(me);
		my.role = WON; my.g = wins; my.begun = fresh;
		my.seq = r.seq; my.hash = r.hash; my.cursor = r.cursor;
		forget() }

	/* Log.loadCommit. */
	:: d_step { my.role == WON ->
		known = known | BIT(my.g);
		printf("arbiter %d loads the script of leadership %d\n", me, my.g);
		my.role = LOADED }

	/* begin and newLeadership. Abstraction: a standby has read the history
	 * before, and there are snapshots. What they give is of use only if it ends
	 * where the standing says, with the same hash, so that it is the same as
	 * reading everything now. */
	:: d_step { my.role == LOADED ->
		if
#ifndef CATCH_UP_OFF
		:: !my.begun && !(r.t_seq == my.seq && r.t_inc == was[my.g].inc && r.t_hash == my.hash) ->
			printf("arbiter %d: the history does not end where it should\n", me); drop(me)
		:: !my.begun && r.t_seq == my.seq && r.t_inc == was[my.g].inc && r.t_hash == my.hash ->
			my.ledger = r.t_ledger; my.taken = r.t_taken; new_batch(); seal()
#else
		:: !my.begun -> my.taken = r.t_taken; new_batch(); seal()
#endif
		:: my.begun ->
			/* The intent Begin. The barrier counts from here. */
			new_batch();
			past[my.g].holders = (may[0] -> CHARGED(0) : 0) | (may[1] -> CHARGED(1) : 0);
#ifndef BARRIER_OFF
			my.n_ledger = (past[my.g].holders -> BARRIER : 0);
#endif
			my.begun = 0; seal();
			printf("arbiter %d is to begin incarnation %d, behind a barrier: %d\n", me, my.g, my.n_ledger == BARRIER)
		fi }

	/* round: an intent from the inbox. */
	:: d_step { my.role == LEADS && r.appended > my.cursor ->
		new_batch(); take(inbox[my.cursor]); reallocate();
		my.to = my.cursor + 1; my.n_taken = my.taken | BIT(my.cursor); seal();
		printf("arbiter %d takes entry %d\n", me, my.to) }

	/* round: a tick, for the barrier opens. Abstraction: instead of a duration,
	 * what it is for: no lease is left of those that it waits for. */
	:: d_step { my.role == LEADS && (my.ledger & BARRIER) && SETTLED(0) && SETTLED(1) ->
		new_batch(); my.n_ledger = my.n_ledger & ~BARRIER; reallocate(); seal();
		printf("arbiter %d: the barrier opens\n", me) }

	/* round: a tick, for a lease is due. The container's own deadline is earlier. */
	:: d_step { my.role == LEADS && (my.ledger & CHARGED(0)) && ended[0] ->
		new_batch(); my.n_ledger = my.n_ledger & ~CHARGED(0); reallocate(); seal();
		printf("arbiter %d: the lease of container 0 is over\n", me) }
	:: d_step { my.role == LEADS && (my.ledger & CHARGED(1)) && ended[1] ->
		new_batch(); my.n_ledger = my.n_ledger & ~CHARGED(1); reallocate(); seal();
		printf("arbiter %d: the lease of container 1 is over\n", me) }

	/* handOver. */
	:: d_step { my.role == LEADS && !quiet ->
		new_batch(); my.n_resign = 1; seal();
		printf("arbiter %d is to resign\n", me) }

	/* commit: the reply comes. */
	:: d_step { my.role == PENDING ->
		commit_lua(my.g, my.seq, my.hash, my.cursor, my.to, my.n_ledger, my.n_taken, my.n_mail, my.n_resign);
		/* A leader that repeats a commit goes on: while Redis loses nothing,
		 * only another leadership can end its own. */
		I4(reply != DIVERGED || faults > 0);
		if
		:: (reply == OK || reply == AGAIN) && !my.n_resign ->
			my.seq++; my.hash = my.g; my.cursor = my.to; my.ledger = my.n_ledger; my.taken = my.n_taken;
			forget_batch(me);
#ifdef CURSOR_APART
			my.begun = 1; /* the cursor is still to be moved */
#endif
			my.role = LEADS
		:: else -> drop(me)
		fi }

	/* commit: it is done or refused, and the reply is lost. The same batch stays pending.
	 * (One that is lost on its way is no step.) handOver does not repeat it. */
	:: d_step { my.role == PENDING && !quiet ->
		printf("the reply to arbiter %d will be lost:\n", me);
		commit_lua(my.g, my.seq, my.hash, my.cursor, my.to, my.n_ledger, my.n_taken, my.n_mail, my.n_resign);
		if
		:: my.n_resign -> drop(me)
		:: else
		fi }

#ifndef LOSSES_ONLY
	/* commit: it comes later. */
	:: d_step { my.role == PENDING && w.g == 0 && !quiet ->
		printf("commit of record %d by leadership %d: delayed\n", my.seq + 1, my.g);
		w.g = my.g; w.seq = my.seq; w.hash = my.hash; w.cursor = my.cursor;
		w.to = my.to; w.ledger = my.n_ledger; w.taken = my.n_taken; w.mail = my.n_mail; w.resign = my.n_resign;
		if
		:: my.n_resign -> drop(me)
		:: else
		fi }
#endif
#ifdef CURSOR_APART
	:: d_step { my.role == LEADS && my.begun ->
		r.cursor = my.cursor; my.begun = 0; printf("arbiter %d moves the cursor to %d\n", me, my.cursor) }
#endif

#ifdef LIVE
	/* extend.lua. */
	:: d_step { my.role >= LEADS && PRESENT(my.g) && EXTEND_LIFE && r.leader != me ->
		r.leader = me; printf("arbiter %d extends its lease\n", me) }
	:: d_step { my.role >= LEADS && !(PRESENT(my.g) && EXTEND_LIFE) ->
		printf("arbiter %d cannot extend its lease\n", me); drop(me) }
#endif

	/* A crash and a restart. */
	:: d_step { my.role != FOLLOWS && !quiet -> printf("arbiter %d crashes\n", me); drop(me) }
	od
}

/* ---- Containers -------------------------------------------------------- */

#define SAID(what) \
	((r.appended > 0 && inbox[0] == what) || (r.appended > 1 && inbox[1] == what) || \
	 (r.appended > 2 && inbox[2] == what) || (r.appended > 3 && inbox[ENTRIES - 1] == what))

/* client/lease. A container asks, and asks again if that was lost. It says what it
 * has when it sees another incarnation in the head. Its lease ends at any moment,
 * by its deadline or its own will. Abstraction: it does not come back then. */
proctype container(byte c) {
end:	do
	:: d_step { r.appended < ENTRIES && may[c] == 0 && !ended[c] && !SAID(ASK(c)) && (asked || c == 0) ->
		inbox[r.appended] = ASK(c); r.appended++; asked = 1;
		printf("container %d asks: entry %d\n", c, r.appended) }
	:: d_step { r.appended < ENTRIES && may[c] != 0 && r.inc != 0 && may[c] != r.inc && !SAID(HAVE(c)) ->
		inbox[r.appended] = HAVE(c); r.appended++;
		printf("container %d says what it has: entry %d\n", c, r.appended) }
	:: d_step { may[c] != 0 && !quiet -> may[c] = 0; ended[c] = 1; printf("the lease of container %d ends\n", c) }
	od
}

/* ---- What goes wrong --------------------------------------------------- */

inline copy(to_, from_) {
	to_.inc = from_.inc; to_.epoch = from_.epoch; to_.seq = from_.seq;
	to_.hash = from_.hash; to_.cursor = from_.cursor; to_.life = from_.life;
	to_.t_seq = from_.t_seq; to_.t_inc = from_.t_inc; to_.t_hash = from_.t_hash;
	to_.t_ledger = from_.t_ledger; to_.t_taken = from_.t_taken; to_.t_all = from_.t_all;
	to_.appended = from_.appended;
#ifdef LIVE
	to_.leader = from_.leader;
#endif
}

/* The process that goes on has the data of d. Without a copy it has none. */
inline lose(keeps) {
	printf("Redis loses it; scripts are kept: %d\n", keeps);
	faults++; life++;
	known = (keeps -> known : 0);
	copy(r, d);
	forget_image();
	i = r.appended;
	do
	:: i < ENTRIES -> inbox[i] = 0; i++
	:: else -> break
	od;
	forget()
}

inline forget_image() {
	saved = 0;
	d.inc = 0; d.epoch = 0; d.seq = 0; d.hash = 0; d.cursor = 0; d.life = 0;
	d.t_seq = 0; d.t_inc = 0; d.t_hash = 0; d.t_ledger = 0; d.t_taken = 0; d.t_all = 0;
	d.appended = 0;
#ifdef LIVE
	d.leader = 0;
#endif
}

proctype world() {
end:	do
	/* From here on what is written will be lost. */
	:: d_step { !saved && faults < FAULTS && !quiet ->
		saved = 1; copy(d, r); printf("what is written from here on will be lost\n") }

	/* Redis is restarted, or a replica is promoted: without what was written
	 * since d, with everything if d is of this moment, with nothing if there is
	 * no d. */
	:: d_step { faults < FAULTS && !quiet -> lose(false) }

#ifndef LOSSES_ONLY
	/* A replica is promoted; the former master becomes its replica, which costs
	 * it what the other does not have; then it is promoted again. This process
	 * never ended, and knows its scripts. */
	:: d_step { faults < FAULTS && saved && !quiet -> lose(true) }

	/* SCRIPT FLUSH. */
	:: d_step { faults < FAULTS && !saved && known != 0 && !quiet ->
		faults++; known = 0; printf("the scripts are flushed\n") }
#endif

	/* A delayed commit comes, or does not. */
	:: d_step { w.g != 0 ->
		printf("the delayed commit comes:\n");
		commit_lua(w.g, w.seq, w.hash, w.cursor, w.to, w.ledger, w.taken, w.mail, w.resign);
		forget_wire() }
	:: d_step { w.g != 0 -> forget_wire() }

#ifdef LIVE
	/* The lease runs out; in quiet times only that of nobody who leads. */
	:: d_step { r.leader != 0 && (!quiet || a[r.leader].role == FOLLOWS || !PRESENT(a[r.leader].g)) ->
		r.leader = 0; printf("the leader's lease runs out\n") }
	:: d_step { !quiet -> quiet = 1; printf("from here on nothing goes wrong\n") }
#endif
	od
}

#ifdef LIVE
/* Once nothing goes wrong any more, somebody comes to lead, and every intent comes
 * into the history. (Three wins are kept for then, see MAY_WIN: more are not
 * needed, or this would fail.) */
ltl live { [] (quiet -> <> (r.cursor == r.appended && (a[1].role == LEADS || a[2].role == LEADS))) }
#endif

init {
	atomic {
		run arbiter(1); run arbiter(2);
#if ARBITERS > 2
		run arbiter(3);
#endif
		run container(0); run container(1);
		run world()
	}
}
