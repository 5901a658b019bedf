package kv4j.apps.serve;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.serve.http.Keys;
import kv4j.apps.text.SessionCache;
import kv4j.inference.schedule.SchedulerOptions;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/**
 * How a server listens, whom it lets in, and how much it takes on.
 *
 * @param port 0 for any that is free
 * @param keys who may use it
 * @param maxRunning most requests computed at once
 * @param maxWaiting most requests kept waiting
 * @param maxRows most new tokens in one forward pass, of all requests together
 * @param cache what is kept of their prompts
 * @param warm file with prefixes to compute and pin at the start
 * @param record file to write all events to
 * @param cacheFiles folder of files that the cache's content is saved to
 * @param deadline how long requests have to end in when the server is stopped
 */
public record ServeOptions(
    String host,
    int port,
    Keys keys,
    int maxRunning,
    int maxWaiting,
    int maxRows,
    SessionCache cache,
    Optional<Path> warm,
    Optional<Path> record,
    Optional<Path> cacheFiles,
    Duration deadline) {
  private static final int MOST_RUNNING = 256;
  private static final int MOST_ROWS = 1 << 16;
  private static final int USUAL_ROWS = SchedulerOptions.defaults().maxRows();
  private static final int MOST_WAITING = 4096;
  private static final int MOST_PORT = 65_535;

  private static final ValueOption<String> HOST =
      ValueOption.of(
          "host",
          "ADDRESS",
          "address to listen on; any but a loopback address needs API keys",
          "127.0.0.1",
          Values::text);
  private static final ValueOption<Integer> PORT =
      ValueOption.of(
          "port", "N", "port to listen on; 0: any that is free", 8080, ServeOptions::port);
  private static final ValueOption<String> API_KEY =
      ValueOption.optional(
          "api-key", "KEY", "what clients have to send as Authorization: Bearer KEY", Values::text);
  private static final ValueOption<Path> API_KEYS =
      ValueOption.optional(
          "api-keys",
          "FILE",
          "more API keys, each line a key and a tenant's name, read again when it changes; tenants"
              + " share no prefixes",
          Values::path);
  private static final ValueOption<String> ADMIN_KEY =
      ValueOption.optional(
          "admin-key",
          "KEY",
          "what /cache, /events and /reset_prefix_cache need; without it they are open if there are"
              + " no API keys, and closed if there are",
          Values::text);
  private static final ValueOption<Integer> MAX_RUNNING =
      ValueOption.of(
          "max-running",
          "N",
          "most requests computed at once",
          8,
          text -> Values.intUpTo(MOST_RUNNING, text));
  private static final ValueOption<Integer> MAX_WAITING =
      ValueOption.of(
          "max-waiting",
          "N",
          "most requests kept waiting; others get status 429",
          256,
          text -> Values.intUpTo(MOST_WAITING, text));
  private static final ValueOption<Integer> MAX_ROWS =
      ValueOption.of(
          "max-rows",
          "N",
          "most new tokens in one forward pass; at least twice --max-running where it is not given",
          USUAL_ROWS,
          text -> Values.intUpTo(MOST_ROWS, text));
  private static final ValueOption<Path> WARM =
      ValueOption.optional(
          "warm",
          "FILE",
          "prefixes to compute and pin first: a JSON array of what /cache/warm takes",
          Values::path);
  private static final ValueOption<Path> RECORD =
      ValueOption.optional(
          "record",
          "FILE",
          "where to write what happens, for the page to play again",
          Values::path);
  private static final ValueOption<Path> CACHE_FILES =
      ValueOption.optional(
          "cache-files",
          "FOLDER",
          "where /cache/save and /cache/load have their files",
          ServeOptions::folder);
  private static final ValueOption<Duration> DEADLINE =
      ValueOption.of(
          "deadline",
          "TIME",
          "how long running requests may go on when the server is stopped",
          "10s",
          Values::duration);

  /** Adds all of them. */
  public static void addTo(Options options) {
    for (ValueOption<?> option :
        List.of(
            HOST,
            PORT,
            API_KEY,
            API_KEYS,
            ADMIN_KEY,
            MAX_RUNNING,
            MAX_WAITING,
            MAX_ROWS,
            WARM,
            RECORD,
            CACHE_FILES,
            DEADLINE)) {
      options.addOption(option.option());
    }
    SessionCache.addTo(options);
  }

  /**
   * Reads them.
   *
   * @throws IllegalArgumentException with one sentence if one is wrong
   */
  public static ServeOptions read(CommandLine line) {
    Keys keys = new Keys(API_KEY.find(line), API_KEYS.find(line), ADMIN_KEY.find(line));
    String host = HOST.in(line);
    if (!keys.areNeeded() && !isLoopback(host)) {
      throw new IllegalArgumentException(
          "--host %s lets other machines in, which needs --api-key or --api-keys".formatted(host));
    }
    int running = MAX_RUNNING.in(line);
    int rows = MAX_ROWS.in(line, Math.max(USUAL_ROWS, 2 * running));
    if (rows <= running) {
      throw new IllegalArgumentException(
          "--max-rows %d must be more than --max-running %d: a row for each and one for prompts"
              .formatted(rows, running));
    }
    return new ServeOptions(
        host,
        PORT.in(line),
        keys,
        running,
        MAX_WAITING.in(line),
        rows,
        SessionCache.read(line),
        WARM.find(line),
        RECORD.find(line),
        CACHE_FILES.find(line),
        DEADLINE.in(line));
  }

  /** How requests are run. */
  public SchedulerOptions scheduling() {
    return new SchedulerOptions(
        maxRows, maxRunning, maxWaiting, SchedulerOptions.defaults().maxOvertakes());
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("--host is no address of this machine: " + host, e);
    }
  }

  private static Path folder(String text) {
    Path folder = Values.path(text);
    if (!Files.isDirectory(folder) || !Files.isReadable(folder)) {
      throw new IllegalArgumentException("needs a folder to read, which " + folder + " is not");
    }
    return folder;
  }

  private static int port(String text) {
    return text.equals("0") ? 0 : Values.intUpTo(MOST_PORT, text);
  }
}
