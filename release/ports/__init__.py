"""The doors to the world, as the steps see them. Adapters stand behind them."""

from release.ports.channels import ChannelLedger as ChannelLedger
from release.ports.channels import Healths as Healths
from release.ports.channels import Pointer as Pointer
from release.ports.claims import Bills as Bills
from release.ports.claims import Signatures as Signatures
from release.ports.forge import Forge as Forge
from release.ports.forge import Lists as Lists
from release.ports.git import Remote as Remote
from release.ports.images import Images as Images
from release.ports.images import Registry as Registry
from release.ports.index import Index as Index
from release.ports.index import Uploads as Uploads
from release.ports.records import Claims as Claims
from release.ports.records import Ledger as Ledger
from release.ports.records import Notes as Notes
from release.ports.records import Rival as Rival
from release.ports.shelf import Shelf as Shelf
from release.ports.shelf import Shown as Shown
from release.ports.work import Commands as Commands
from release.ports.work import Delegates as Delegates
from release.ports.work import Publishers as Publishers
from release.ports.work import Workshop as Workshop
