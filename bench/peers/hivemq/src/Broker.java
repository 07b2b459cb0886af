import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Path;

/** HiveMQ CE with the config.xml of the folder that is given; it runs until it is killed. */
public final class Broker {
    public static void main(String[] arguments) {
        Path folder = Path.of(arguments[0]);
        EmbeddedHiveMQ.builder().withConfigurationFolder(folder).withDataFolder(folder).build().start().join();
    }
}
