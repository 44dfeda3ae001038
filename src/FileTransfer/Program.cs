using FileTransfer.Hosting;

return await FileTransferServer.RunAsync(args, CancellationToken.None);
