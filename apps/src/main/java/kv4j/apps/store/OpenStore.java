package kv4j.apps.store;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import kv4j.apps.cli.Terminal;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.block.KvDtype;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.StoreContents;

/** The store behind a session's cache, from its opening to its end; or none. */
public final class OpenStore implements AutoCloseable {
  private static final Duration UNNOTICED = Duration.ofMillis(500);
  private static final Duration MOST_PATIENCE = Duration.ofSeconds(60);

  private final Optional<StoreChoice> choice;
  private final Optional<BlockStore> store;

  private OpenStore(Optional<StoreChoice> choice, Optional<BlockStore> store) {
    this.choice = choice;
    this.store = store;
  }

  /** No store. */
  public static OpenStore none() {
    return new OpenStore(Optional.empty(), Optional.empty());
  }

  /**
   * Begins to open the store that is asked for, if one is.
   *
   * @param loader where kinds of stores are looked for
   * @throws IllegalArgumentException with one sentence if it cannot be opened
   */
  public static OpenStore of(Optional<StoreChoice> choice, ClassLoader loader) {
    return new OpenStore(choice, choice.map(wanted -> wanted.spec().open(loader)));
  }

  /** The same cache with this store behind it. */
  public KvCacheConfig behind(KvCacheConfig cache) {
    return store
        .map(s -> choice.orElseThrow().config(s, cache.layout().dtype()))
        .map(cache::withStore)
        .orElse(cache);
  }

  /** How far a store is. */
  public enum State {
    /** It cannot be used yet. */
    OPENING,
    /** It can be used. */
    OPEN,
    /** It could not be opened. */
    FAILED
  }

  /** How far it is; empty if there is none. */
  public Optional<State> state() {
    return store.map(
        s -> {
          CompletableFuture<Void> ready = s.ready();
          if (!ready.isDone()) {
            return State.OPENING;
          }
          return ready.isCompletedExceptionally() ? State.FAILED : State.OPEN;
        });
  }

  /** What is in it; empty if there is none, or it cannot be used. */
  public Optional<StoreContents> contents() {
    return store.filter(s -> state().equals(Optional.of(State.OPEN))).map(BlockStore::contents);
  }

  /** What kind of store it is; empty if there is none. */
  public Optional<String> kind() {
    return choice.map(wanted -> wanted.spec().kind());
  }

  /**
   * Tells people if what comes back from the store is not what went there.
   *
   * @param ofCache how the cache keeps numbers
   */
  public void tellIfNotExact(KvDtype ofCache, Terminal terminal) {
    choice
        .flatMap(StoreChoice::dtype)
        .filter(dtype -> dtype.bytesPerElement() < ofCache.bytesPerElement())
        .ifPresent(
            dtype ->
                terminal
                    .err()
                    .printf("the store keeps %s: what comes back from it is not exact%n", dtype));
  }

  /**
   * Waits until the store can be used, and says so if that takes long. If it cannot be, that is
   * said, and the cache does without.
   */
  public void await(Terminal terminal) throws InterruptedException {
    if (store.isEmpty()) {
      return;
    }
    CompletableFuture<Void> ready = store.get().ready();
    try {
      if (!isDoneIn(UNNOTICED, ready)) {
        terminal.err().println("waiting for the store " + choice.orElseThrow().spec());
        if (!isDoneIn(MOST_PATIENCE, ready)) {
          terminal.err().println("going on, as the store takes too long to open");
        }
      }
    } catch (ExecutionException e) {
      terminal.err().println(failure(e.getCause()));
    }
  }

  private static boolean isDoneIn(Duration patience, CompletableFuture<Void> ready)
      throws InterruptedException, ExecutionException {
    try {
      ready.get(patience.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  /**
   * Waits until the store, if there is one, can be used.
   *
   * @throws IllegalArgumentException with one sentence if it cannot be
   */
  public void join() {
    try {
      store.ifPresent(s -> s.ready().join());
    } catch (CompletionException e) {
      throw new IllegalArgumentException(
          "the store %s cannot be opened: %s".formatted(name(), e.getCause().getMessage()), e);
    }
  }

  /** What was asked for, for people; {@code none} if there is none. */
  public String name() {
    return choice.map(wanted -> wanted.spec().toString()).orElse("none");
  }

  /** Says it as soon as the store turns out not to open; the cache then does without. */
  public void tellOfFailure(Terminal terminal) {
    store.ifPresent(
        s ->
            s.ready()
                .whenComplete(
                    (nothing, e) -> {
                      if (e != null) {
                        Throwable cause = e instanceof CompletionException ? e.getCause() : e;
                        terminal.err().println(failure(cause));
                      }
                    }));
  }

  private String failure(Throwable cause) {
    return "going on without the store %s, which cannot be opened: %s"
        .formatted(choice.orElseThrow().spec(), cause.getMessage());
  }

  /** Closes it; its cache must have been closed before. */
  @Override
  public void close() {
    store.ifPresent(BlockStore::close);
  }
}
