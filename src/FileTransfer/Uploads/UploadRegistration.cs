namespace FileTransfer.Uploads;

public static class UploadRegistration
{
    public static void AddUploads(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<UploadPublisher>();
        builder.Services.AddSingleton<RunningUploads>();
        builder.Services.AddSingleton<FramedUpload>();
        builder.Services.AddSingleton<RawUpload>();
    }
}
