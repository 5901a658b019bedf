/**
 * What is known of a server: its tree, its requests and its memory, made of a snapshot and the events
 * after it alone. It knows nothing of how these come here, nor of how they are shown.
 */

const MOST_REQUESTS = 400;
const MOST_SAMPLES = 1200;
const SAMPLE_MS = 250;

export class Store {
  model = null;
  maxBytes = 0;
  number = 0; // of the cache's last event that the snapshot knows of
  now = 0; // time of the last event, ms since the epoch
  bytes = 0;
  runs = new Map(); // by id, parents before children
  tops = new Set(); // ids of runs that begin a sequence
  pinned = new Map(); // run ids by names
  requests = new Map(); // by id, in the order they came
  figures = null;
  samples = []; // of memory: {time, bytes, pinned, running}
  removed = { size: 0, expired: 0, superseded: 0, explicit: 0 }; // blocks, seen from here on
  asked = { requests: 0, promptTokens: 0, cachedTokens: 0 }; // likewise

  /** An independent copy. */
  copy() {
    const copies = (map) => new Map([...map].map(([key, value]) => [key, { ...value }]));
    const copy = Object.assign(new Store(), this, {
      runs: copies(this.runs),
      tops: new Set(this.tops),
      pinned: new Map(this.pinned),
      requests: copies(this.requests),
      samples: this.samples.map((sample) => ({ ...sample })),
      removed: { ...this.removed },
      asked: { ...this.asked },
    });
    copy.runs.forEach((run) => (run.children = [...run.children])); // other lists are never changed
    return copy;
  }

  apply({ event, data }) {
    if (event !== "snapshot" && data.number <= this.number) {
      return; // one that was still on its way when the snapshot was taken
    }
    this.now = data.time ?? this.now;
    this[`on_${event}`]?.(data);
    this.sample();
  }

  on_snapshot(data) {
    this.model = data.model;
    this.maxBytes = data.max_bytes;
    this.number = data.number;
    this.runs = new Map();
    this.tops = new Set();
    this.requests = new Map(); // what became of those under way is not known
    this.pinned = new Map(Object.entries(data.pinned));
    this.bytes = 0;
    for (const run of data.runs) {
      this.put({ ...run, time: this.now - run.age_ms, used: this.now - run.age_ms });
    }
    if (data.storage) {
      this.on_figures({ ...data.storage, store: data.store, running: 0, waiting: 0 });
    }
  }

  put({ id, parent, namespace, salted, start, tokens, texts, entries, bytes, hits, request, time, used }) {
    this.runs.set(id, {
      id, parent, namespace, salted, start, tokens, texts, entries, bytes, hits, request, time, used, children: [],
    });
    this.siblings(parent, (children) => children.push(id), () => this.tops.add(id));
    this.bytes += bytes;
  }

  siblings(parent, ofRun, ofTop) {
    const run = this.runs.get(parent);
    if (run) {
      ofRun(run.children);
    } else {
      ofTop();
    }
  }

  on_inserted(data) {
    this.put({ ...data, id: data.run, hits: 0, used: data.time });
  }

  on_split(data) {
    const lower = this.runs.get(data.run);
    const kept = data.at - lower.start;
    const upper = {
      ...lower,
      id: data.upper,
      tokens: lower.tokens.slice(0, kept),
      texts: lower.texts.slice(0, kept),
      entries: data.entries,
      bytes: data.bytes,
      children: [lower.id],
    };
    this.siblings(
      lower.parent,
      (children) => children.splice(children.indexOf(lower.id), 1, upper.id),
      () => this.tops.delete(lower.id) && this.tops.add(upper.id),
    );
    Object.assign(lower, {
      parent: upper.id,
      start: data.at,
      tokens: lower.tokens.slice(kept),
      texts: lower.texts.slice(kept),
      entries: lower.entries - data.entries,
      bytes: lower.bytes - data.bytes,
    });
    this.runs.set(upper.id, upper);
  }

  on_removed(data) {
    const run = this.runs.get(data.run);
    const left = data.start - run.start;
    this.bytes -= data.bytes;
    this.removed[data.cause] = (this.removed[data.cause] ?? 0) + data.entries;
    if (left > 0) {
      run.tokens = run.tokens.slice(0, left);
      run.texts = run.texts.slice(0, left);
      run.entries -= data.entries;
      run.bytes -= data.bytes;
      return;
    }
    this.runs.delete(run.id);
    this.siblings(
      run.parent,
      (children) => children.splice(children.indexOf(run.id), 1),
      () => this.tops.delete(run.id),
    );
  }

  on_pinned(data) {
    this.pinned.set(data.name, data.run);
  }

  on_unpinned(data) {
    this.pinned.delete(data.name);
  }

  on_found(data) {
    for (const run of this.path(data.run)) {
      run.hits++;
      run.used = data.time;
    }
    this.asked.requests++;
    this.asked.promptTokens += data.prompt_tokens;
    this.asked.cachedTokens += data.cached_tokens;
    const request = this.requests.get(data.request);
    if (request) {
      request.started = data.time;
      request.lookup = { run: data.run, cached: data.cached_tokens, read: data.store_tokens ?? 0, reason: data.reason, stored: data.stored };
    }
  }

  /** A run and those above it. */
  path(id) {
    const path = [];
    for (let run = this.runs.get(id); run; run = this.runs.get(run.parent)) {
      path.push(run);
    }
    return path;
  }

  on_queued(data) {
    this.requests.set(data.request, {
      id: data.request,
      namespace: data.namespace,
      user: data.user,
      texts: data.texts,
      promptTokens: data.prompt_tokens,
      queued: data.time,
      started: null,
      lookup: null,
      chunks: [], // {tokens in place, time}
      first: null,
      ended: null,
      outcome: null,
      generated: [],
      times: null,
    });
    if (this.requests.size > MOST_REQUESTS) {
      this.requests.delete(this.requests.keys().next().value);
    }
  }

  update(data, change) {
    const request = this.requests.get(data.request);
    if (request) {
      Object.assign(request, change(request));
    }
  }

  on_prefill(data) {
    this.update(data, (request) => ({
      chunks: [...request.chunks, { tokens: data.tokens, time: data.time }],
    }));
  }

  on_first_token(data) {
    this.update(data, () => ({ first: data.time }));
  }

  on_finished(data) {
    this.update(data, () => ({
      ended: data.time,
      outcome: data.cancelled ? "cancelled" : "finished",
      generated: data.texts,
      times: {
        queue: data.queue_ms,
        prefill: data.prefill_ms,
        decode: data.decode_ms,
        perToken: data.prefill_ms_per_token,
      },
    }));
  }

  on_failed(data) {
    this.update(data, () => ({ ended: data.time, outcome: "failed" }));
  }

  on_rejected(data) {
    this.update(data, () => ({ ended: data.time, outcome: "rejected" }));
  }

  on_figures(data) {
    this.figures = data;
    this.removed = { ...data.removed };
  }

  sample() {
    const last = this.samples.at(-1);
    const now = {
      time: this.now,
      bytes: this.bytes,
      pinned: this.figures?.pinned_bytes ?? 0,
      running: this.figures?.running_bytes ?? 0,
    };
    if (last && now.time - last.time < SAMPLE_MS) {
      Object.assign(last, now, { time: last.time });
    } else {
      this.samples.push(now);
    }
    if (this.samples.length > MOST_SAMPLES) {
      this.samples.splice(0, MOST_SAMPLES / 4);
    }
  }

  /** Ids of runs that may not be evicted now, as far as events tell. */
  held() {
    const held = new Set();
    const ends = [...this.pinned.values()];
    for (const request of this.requests.values()) {
      if (request.lookup && !request.ended) {
        ends.push(request.lookup.run);
      }
    }
    ends.forEach((end) => this.path(end).forEach((run) => held.add(run.id)));
    return held;
  }
}
