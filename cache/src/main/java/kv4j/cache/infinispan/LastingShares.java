package kv4j.cache.infinispan;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.infinispan.distribution.ch.impl.DefaultConsistentHash;
import org.infinispan.distribution.ch.impl.SyncConsistentHashFactory;
import org.infinispan.protostream.FileDescriptorSource;
import org.infinispan.protostream.ProtobufTagMarshaller;
import org.infinispan.protostream.SerializationContext;
import org.infinispan.protostream.SerializationContextInitializer;
import org.infinispan.remoting.transport.Address;

/**
 * Says which share of the values is whose, as Infinispan does, but by the names of folders instead
 * of by addresses, which are new with every start: a process that came back would be given another
 * share, and lose what its folder has of its old one.
 *
 * <p>All processes have equal shares; Infinispan's capacities, which nobody sets, are passed over.
 * A folder's name travels as the machine's of the address. (Processes cannot keep their address:
 * JGroups takes one that comes back before it was missed for the one that is gone.)
 */
final class LastingShares extends SyncConsistentHashFactory {
  static final LastingShares INSTANCE = new LastingShares();

  private LastingShares() {}

  @Override
  public DefaultConsistentHash create(
      int owners, int segments, List<Address> members, Map<Address, Float> capacities) {
    Map<Address, Address> named = new TreeMap<>(); // by their lasting names
    members.forEach(member -> named.put(name(member), member));
    if (named.size() < members.size()) { // one folder, seen by two hosts of one name
      return super.create(owners, segments, members, capacities);
    }
    List<Address> names = List.copyOf(named.keySet());
    DefaultConsistentHash shares = super.create(owners, segments, names, null);
    @SuppressWarnings({"unchecked", "rawtypes"}) // no array knows parameters
    List<Address>[] ownersOfSegments = new List[segments];
    for (int segment = 0; segment < segments; segment++) {
      ownersOfSegments[segment] =
          shares.locateOwnersForSegment(segment).stream().map(named::get).toList();
    }
    return DefaultConsistentHash.create(owners, segments, members, capacities, ownersOfSegments);
  }

  private static Address name(Address member) {
    return member.getMachineId() == null
        ? member
        : Address.fromNodeUUID(UUID.fromString(member.getMachineId()));
  }

  /** Sends it to other processes: it has no state. */
  static final class Marshalling
      implements SerializationContextInitializer, ProtobufTagMarshaller<LastingShares> {
    private static final String PACKAGE = "kv4j.cache";
    private static final String MESSAGE = "LastingShares";

    @Override
    public void registerSchema(SerializationContext context) {
      context.registerProtoFiles(
          FileDescriptorSource.fromString(
              "kv4j-cache.proto", "package %s; message %s {}".formatted(PACKAGE, MESSAGE)));
    }

    @Override
    public void registerMarshallers(SerializationContext context) {
      context.registerMarshaller(this);
    }

    @Override
    public Class<LastingShares> getJavaClass() {
      return LastingShares.class;
    }

    @Override
    public String getTypeName() {
      return PACKAGE + "." + MESSAGE;
    }

    @Override
    public LastingShares read(ReadContext context) {
      return INSTANCE;
    }

    @Override
    public void write(WriteContext context, LastingShares shares) {}
  }
}
