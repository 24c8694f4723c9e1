-- Histograms of durations, see the type crossbridge.histogram.
-- A bin is 4.08 % wide (growth 1.0408); read with interpolation, p95 is within 0.2 % of the exact one on average.

CREATE OR REPLACE FUNCTION crossbridge.hist_bin(duration_us bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE   -- not STRICT: that would keep it from being inlined
AS $$ SELECT round(ln(greatest(duration_us, 1)::double precision) / ln(1.0408::double precision))::integer $$;

-- The histogram of these bins; null of none.
CREATE OR REPLACE FUNCTION crossbridge.hist_of(bins integer[]) RETURNS crossbridge.histogram
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    hist crossbridge.histogram;
    lo integer;
    hi integer;
    counts integer[];
    bin integer;
BEGIN
    SELECT min(b) - 1, max(b) INTO lo, hi FROM pg_catalog.unnest(bins) AS b;
    IF hi IS NULL THEN
        RETURN NULL;
    END IF;
    counts := pg_catalog.array_fill(0, ARRAY[hi - lo]);
    FOREACH bin IN ARRAY bins LOOP
        counts[bin - lo] := counts[bin - lo] + 1;
    END LOOP;
    hist.lo := lo + 1;
    hist.cnt := counts;
    RETURN hist;
END $$;

-- Adds b to a. Loops in plpgsql: a third of the time of generate_series and a join.
CREATE OR REPLACE FUNCTION crossbridge.hist_add(a_lo integer, a_cnt integer[], b_lo integer, b_cnt integer[])
RETURNS crossbridge.histogram
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    hist crossbridge.histogram;
    lo integer := least(a_lo, b_lo);
    hi integer := greatest(a_lo + pg_catalog.cardinality(a_cnt), b_lo + pg_catalog.cardinality(b_cnt)) - 1;
    counts integer[] := pg_catalog.array_fill(0, ARRAY[a_lo - lo]) || a_cnt
                        || pg_catalog.array_fill(0, ARRAY[hi + 1 - a_lo - pg_catalog.cardinality(a_cnt)]);
    shift integer := b_lo - lo;
BEGIN
    FOR i IN 1 .. pg_catalog.cardinality(b_cnt) LOOP
        IF b_cnt[i] <> 0 THEN
            counts[i + shift] := counts[i + shift] + b_cnt[i];
        END IF;
    END LOOP;
    hist.lo := lo;
    hist.cnt := counts;
    RETURN hist;
END $$;

CREATE OR REPLACE FUNCTION crossbridge.hist_sum_step(state crossbridge.histogram, lo integer, cnt integer[])
RETURNS crossbridge.histogram
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF cnt IS NULL THEN
        RETURN state;
    ELSIF state.cnt IS NULL THEN
        state.lo := lo;
        state.cnt := cnt;
        RETURN state;
    END IF;
    RETURN crossbridge.hist_add(state.lo, state.cnt, lo, cnt);
END $$;

-- SELECT (h).lo, (h).cnt FROM (SELECT crossbridge.hist_sum(lo, cnt) AS h FROM crossbridge.hist_hour ...) AS x
CREATE OR REPLACE AGGREGATE crossbridge.hist_sum(integer, integer[]) (
    SFUNC = crossbridge.hist_sum_step, STYPE = crossbridge.histogram, PARALLEL = SAFE
);

CREATE OR REPLACE FUNCTION crossbridge.hist_unpack(packed numeric) RETURNS crossbridge.histogram
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    hist crossbridge.histogram;
    digits text := packed::text;
    bins integer := (pg_catalog.length(digits) + 11) / 12;
    bytes bytea := pg_catalog.convert_to(pg_catalog.lpad(digits, 12 * bins, '0'), 'UTF8');   -- text is slow to cut
BEGIN
    hist.lo := (pg_catalog.length(digits) - pg_catalog.length(pg_catalog.rtrim(digits, '0'))) / 12;
    hist.cnt := ARRAY(SELECT pg_catalog.convert_from(pg_catalog.substr(bytes, 12 * (bins - 1 - b) + 1, 12), 'UTF8')::integer
                        FROM pg_catalog.generate_series(hist.lo, bins - 1) AS b);
    RETURN hist;
END $$;

-- SELECT (h).lo, (h).cnt FROM (SELECT crossbridge.hist_sum(packed) AS h FROM crossbridge.hist_day ...) AS x
CREATE OR REPLACE AGGREGATE crossbridge.hist_sum(numeric) (
    SFUNC = pg_catalog.numeric_add, STYPE = numeric, COMBINEFUNC = pg_catalog.numeric_add,
    FINALFUNC = crossbridge.hist_unpack, PARALLEL = SAFE
);

-- The duration in us below which the part p (0 to 1) of the attempts lies, as percentile_cont counts ranks.
CREATE OR REPLACE FUNCTION crossbridge.hist_percentile(lo integer, cnt integer[], p double precision)
RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    total bigint := (SELECT pg_catalog.sum(c) FROM pg_catalog.unnest(cnt) AS c);
    rank double precision := p * (total - 1);   -- of the wanted attempt; the first is 0
    before bigint := 0;
BEGIN
    FOR i IN 1 .. pg_catalog.cardinality(cnt) LOOP
        IF before + cnt[i] > rank THEN
            -- attempts lie evenly inside a bin, each in the middle of its share
            RETURN 1.0408::double precision ^ (lo + i - 1.5 + (rank - before + 0.5) / cnt[i]);
        END IF;
        before := before + cnt[i];
    END LOOP;
    RETURN NULL;
END $$;
