/** Plays events: as they come, one by one, or once more. */
import { Store } from "./store.js";

/** Events that can be played once more; what happened before them is one state. */
const KEPT = 2000;

/** Pauses between events are no longer than this when they are played again. */
const LONGEST_GAP_MS = 700;

export class Player {
  store = new Store();
  position = 0; // events that the store has
  events = [];
  mode = "live"; // or "paused", or "playing" what was before
  #base = new Store(); // before the first event
  #timer = null;
  #changed;

  /**
   * @param changed told of each event that was applied, and of null when the state is another one
   */
  constructor(changed) {
    this.#changed = changed;
  }

  /** An event that has just happened. */
  take(event) {
    this.events.push(event);
    if (this.mode === "live") {
      this.#forward();
      this.#forget();
    } else {
      this.#changed(null);
    }
  }

  /** A recording in place of what there was, played from its beginning. */
  load(events) {
    clearTimeout(this.#timer);
    this.events = events;
    this.#base = new Store();
    this.#rewind();
    this.#play();
  }

  #forget() {
    if (this.events.length > 2 * KEPT) {
      for (const event of this.events.splice(0, KEPT)) {
        this.#base.apply(event);
      }
      this.position -= KEPT;
    }
  }

  #forward() {
    const event = this.events[this.position++];
    this.store.apply(event);
    this.#changed(event);
  }

  #rewind() {
    this.store = this.#base.copy();
    this.position = 0;
    this.#changed(null);
  }

  /** Where the first event is that somebody would want to see again. */
  get start() {
    const first = this.events[0]?.event === "snapshot" ? 1 : 0;
    return Math.min(first, this.events.length);
  }

  pause() {
    clearTimeout(this.#timer);
    this.mode = "paused";
    this.#changed(null);
  }

  /** Catches up with what has happened meanwhile. */
  resume() {
    clearTimeout(this.#timer);
    this.seek(this.events.length);
    this.mode = "live";
    this.#changed(null);
  }

  /** The next event that is more than figures. */
  step() {
    if (this.mode !== "paused") {
      this.pause();
    }
    while (this.position < this.events.length) {
      const { event } = this.events[this.position];
      this.#forward();
      if (event !== "figures") {
        return;
      }
    }
  }

  /** Shows the state after so many events. */
  seek(position) {
    if (position < this.position) {
      this.#rewind();
    }
    while (this.position < position) {
      this.store.apply(this.events[this.position++]);
    }
    this.#changed(null);
  }

  /** Plays the last events again, as fast as they came but for long pauses. */
  replay() {
    clearTimeout(this.#timer);
    this.seek(this.start);
    this.#play();
  }

  #play() {
    this.mode = "playing";
    this.#changed(null);
    const next = () => {
      if (this.position >= this.events.length) {
        return this.resume();
      }
      const before = this.store.now;
      const gap = this.events[this.position].data.time - before;
      this.#timer = setTimeout(
        () => {
          this.#forward();
          next();
        },
        before === 0 ? 0 : Math.max(0, Math.min(gap, LONGEST_GAP_MS)),
      );
    };
    next();
  }
}

/**
 * The events of a recording.
 *
 * @throws an error if it is none
 */
export function readRecording(text) {
  const events = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line));
  if (events[0]?.event !== "snapshot" || !events.every(({ event, data }) => event && data)) {
    throw new Error("it has to begin with a snapshot, and to go on with events");
  }
  return events;
}
