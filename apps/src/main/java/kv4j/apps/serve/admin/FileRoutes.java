package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.host.Tenant;
import kv4j.apps.serve.http.Bodies;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.openai.Fields;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.store.CacheFile;
import kv4j.cache.index.Keyspace;
import kv4j.cache.store.BlockArchive;
import kv4j.cache.store.ValueCipher;

/** Saves the cache's content to files of one folder, and loads it from there. */
public final class FileRoutes {
  private static final String FILE = "file";

  private final ServedModel model;
  private final Gate gate;
  private final Optional<Path> folder;
  private final Optional<ValueCipher> cipher;

  /**
   * @param folder the files'; empty: there are to be none
   * @param cipher encrypts what is in them; empty: nothing does
   */
  public FileRoutes(
      ServedModel model, Gate gate, Optional<Path> folder, Optional<ValueCipher> cipher) {
    this.model = model;
    this.gate = gate;
    this.folder = folder;
    this.cipher = cipher;
  }

  /** {@code POST /cache/save}. */
  public void save(Context ctx) throws IOException {
    gate.requireAdmin(ctx);
    Fields fields = new Fields(Bodies.object(ctx));
    Path file = file(fields);
    boolean replace = fields.flag("replace");
    fields.end();
    synchronized (this) {
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !replace) {
        throw RequestException.of(
            409, "file_exists", "there is a file of that name; \"replace\": true replaces it");
      }
      CacheFile.Saved saved = save(file);
      ObjectNode json = answer(file).put("blocks", saved.blocks());
      json.put("tokens", saved.blocks() * model.layout().blockTokens());
      Bodies.answer(ctx, 200, json.put("bytes", saved.bytes()));
    }
  }

  private CacheFile.Saved save(Path file) {
    try {
      return new CacheFile(model.cache(), file, cipher).save();
    } catch (IllegalArgumentException e) {
      throw RequestException.of(507, "not_saved", withoutFolder(e, file));
    }
  }

  /** {@code POST /cache/load}. */
  public void load(Context ctx) throws IOException {
    gate.requireAdmin(ctx);
    Fields fields = new Fields(Bodies.object(ctx));
    Path file = file(fields);
    Set<String> salts = new LinkedHashSet<>(List.of(""));
    fields.text("cache_salt").ifPresent(salts::add);
    fields.end();
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw RequestException.of(404, "no_such_file", "there is no file of that name");
    }
    List<Keyspace> spaces =
        gate.tenants().stream()
            .flatMap(tenant -> salts.stream().map(salt -> space(new Tenant(tenant), salt)))
            .toList();
    synchronized (this) {
      CacheFile.Loaded loaded = load(file, spaces);
      ObjectNode json = answer(file).put("blocks", loaded.blocks());
      json.put("tokens", loaded.blocks() * model.layout().blockTokens());
      ObjectNode left = json.putObject("left_out").put("other_model", loaded.otherModel());
      left.put("other_tenant", loaded.otherTenant()).put("missing_before", loaded.missing());
      left.put("no_room", loaded.noRoom());
      Bodies.answer(ctx, 200, json);
    }
  }

  private CacheFile.Loaded load(Path file, List<Keyspace> spaces) throws IOException {
    try {
      return new CacheFile(model.cache(), file, cipher).load(spaces, "file " + file.getFileName());
    } catch (IllegalArgumentException e) {
      throw RequestException.of(400, "not_loaded", withoutFolder(e, file));
    }
  }

  private Keyspace space(Tenant tenant, String salt) {
    int[] any = {0};
    return Keyspace.of(tenant.request(any, salt, "").withModel(model.fingerprint()));
  }

  private static ObjectNode answer(Path file) {
    return JsonNodeFactory.instance.objectNode().put(FILE, file.getFileName().toString());
  }

  private static String withoutFolder(IllegalArgumentException e, Path file) {
    return e.getMessage().replace(file.toString(), file.getFileName().toString());
  }

  /** The file that a request names; nothing else of this machine can be named. */
  private Path file(Fields fields) {
    String name = Fields.text(fields.require(FILE), FILE);
    if (folder.isEmpty()) {
      throw RequestException.of(
          403, "no_cache_files", "the server was not given a folder for this: --cache-files DIR");
    }
    if (!name.matches("[\\w-][\\w.-]{0,63}") || !name.endsWith(BlockArchive.EXTENSION)) {
      throw RequestException.invalid(
          FILE,
          "file must be a name of up to 64 letters, digits, dots, dashes and underscores that ends"
              + " in "
              + BlockArchive.EXTENSION);
    }
    return folder.get().resolve(name);
  }
}
