package kv4j.cache.infinispan;

import org.infinispan.commons.configuration.BuiltBy;
import org.infinispan.commons.configuration.ConfigurationFor;
import org.infinispan.configuration.cache.AsyncStoreConfiguration;
import org.infinispan.configuration.cache.PersistenceConfigurationBuilder;
import org.infinispan.persistence.sifs.configuration.SoftIndexFileStoreConfiguration;
import org.infinispan.persistence.sifs.configuration.SoftIndexFileStoreConfigurationBuilder;

/** A soft-index file store's configuration that stands for a {@link BoundedFileStore}. */
@BuiltBy(FileStoreConfiguration.Builder.class)
@ConfigurationFor(BoundedFileStore.class)
public final class FileStoreConfiguration extends SoftIndexFileStoreConfiguration {
  private FileStoreConfiguration(
      SoftIndexFileStoreConfiguration base, AsyncStoreConfiguration async) {
    super(base.attributes(), async, base.index(), base.data());
  }

  /** Name of the property that says how many bytes the files may take together. */
  static final String MAX_BYTES = "kv4j.max-bytes";

  /** Most bytes that the files may take together. */
  long maxBytes() {
    return Long.parseLong(properties().getProperty(MAX_BYTES));
  }

  /** Infinispan makes it, by reflection. */
  public static final class Builder extends SoftIndexFileStoreConfigurationBuilder {
    public Builder(PersistenceConfigurationBuilder builder) {
      super(builder);
    }

    @Override
    public FileStoreConfiguration create() {
      return new FileStoreConfiguration(super.create(), async.create());
    }
  }
}
