import java.net.InetSocketAddress;
import org.apache.hadoop.hive.conf.HiveConf;
import org.apache.hadoop.hive.metastore.HiveMetaStore;
import org.apache.hadoop.hive.metastore.IHMSHandler;
import org.apache.hadoop.hive.metastore.TSetIpAddressProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TTransportFactory;

/** Hive's own metastore behind a socket of ours: its own main would listen on every address. */
public class LoopbackMetaStore {
    public static void main(String[] hostAndPort) throws Throwable {
        HiveConf conf = new HiveConf(HiveMetaStore.class);
        IHMSHandler handler = HiveMetaStore.newRetryingHMSHandler(
            new HiveMetaStore.HMSHandler("loopback", conf, false), conf);
        InetSocketAddress address =
            new InetSocketAddress(hostAndPort[0], Integer.parseInt(hostAndPort[1]));
        new TThreadPoolServer(new TThreadPoolServer.Args(new TServerSocket(address))
            .processor(new TSetIpAddressProcessor<>(handler))
            .transportFactory(new TTransportFactory())
            .protocolFactory(new TBinaryProtocol.Factory())
            .minWorkerThreads(4)
            .maxWorkerThreads(200)).serve();
    }
}
